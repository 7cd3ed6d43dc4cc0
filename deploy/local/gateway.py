"""nginx as the gateway of one stack."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path

from deploy.local.child import Child, Command, inherited_environment
from deploy.local.ports import LOOPBACK
from deploy.local.probes import http_ok
from deploy.local.state_directory import StateDirectory

TEMPLATE = Path(__file__).parents[1] / "gateway" / "nginx.conf.template"
DOCS = Path(__file__).parents[1] / "gateway" / "docs"
EVENTS = Path(__file__).parents[1] / "gateway" / "events"


def render(template: str, values: Mapping[str, str]) -> str:
    """The configuration with each `${NAME}` of `values` filled in and nothing else, as the nginx image does it."""
    for name, value in values.items():
        template = template.replace(f"${{{name}}}", value)
    return template


def gateway(state: StateDirectory, program: Path, port: int, upstreams: Mapping[str, str]) -> Child:
    """nginx on a loopback port, before APIs known by the template's names for them."""
    directory = state.short_path / "gateway"
    directory.mkdir(mode=0o700, exist_ok=True)
    values = {
        "GATEWAY_LISTEN": f"{LOOPBACK}:{port}",
        "GATEWAY_DIR": str(directory),
        "GATEWAY_DOCS": str(DOCS),
        "GATEWAY_EVENTS": str(EVENTS),
        **upstreams,
    }
    configuration = directory / "nginx.conf"
    StateDirectory.write_private(configuration, render(TEMPLATE.read_text(), values))
    # Workers of a master that is root would otherwise be a user who cannot get at this directory.
    main = "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"
    command = Command(
        name="gateway",
        argv=(str(program), "-p", str(directory), "-c", str(configuration), "-e", "/dev/stderr", "-g", main),
        env=inherited_environment(),
        cwd=directory,
        stop_signal=signal.SIGTERM,
        stop_seconds=10,
        ready_seconds=15,
    )
    return Child(state, command, lambda: http_ok(port, "/healthz"))
