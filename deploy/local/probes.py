"""Probes of servers on this machine."""

import base64
import http.client
import socket
from dataclasses import dataclass

from deploy.local.ports import LOOPBACK

PROBE_S = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The response of a server."""

    status: int
    body: bytes


def http_get(port: int, path: str, *, user: str = "", password: str = "") -> Answer | None:
    """Send a GET to a loopback HTTP server; returns None if there is no response in time."""
    headers = {}
    if user:
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {credentials}"
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PROBE_S)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def http_ok(port: int, path: str, *, user: str = "", password: str = "") -> bool:
    """Whether a loopback HTTP server answers a GET with 200."""
    answer = http_get(port, path, user=user, password=password)
    return answer is not None and answer.status == http.HTTPStatus.OK


def redis_answers(port: int, password: str) -> bool:
    """Whether Redis accepts the password and has loaded its data."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=PROBE_S) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\nQUIT\r\n".encode())
            answer = b""
            while chunk := connection.recv(1024):
                answer += chunk
    except OSError:
        return False
    return b"+PONG" in answer
