"""Private ports on the loopback interface."""

import random
import socket
from collections.abc import Collection
from pathlib import Path

import psutil

LOOPBACK = "127.0.0.1"
FIRST, LAST = 12000, 30000


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        # As servers do: connections of an earlier server that linger in TIME_WAIT are no hindrance, a listener is.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def pick(avoid: Collection[int]) -> int:
    """A free port below those that outgoing connections get, so that it stays free while its server restarts."""
    last = min(LAST, _first_ephemeral() - 1)
    first = min(FIRST, last - 1000)
    for _ in range(1000):
        port = random.randint(first, last)  # noqa: S311 - a port is no secret
        if port not in avoid and is_free(port):
            return port
    msg = f"no free port between {first} and {last} on {LOOPBACK}"
    raise OSError(msg)


def holder(port: int) -> str:
    """Which program listens on the port, in words."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return "another program"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.NoSuchProcess:
                continue
    return "another program"


def _first_ephemeral() -> int:
    setting = Path("/proc/sys/net/ipv4/ip_local_port_range")
    return int(setting.read_text().split()[0]) if setting.exists() else 32768
