"""Whether a Docker engine is at hand."""

import shutil
import subprocess

ANSWER_SECONDS = 15


def answers() -> bool:
    """Whether `docker` is installed and reaches an engine."""
    return shutil.which("docker") is not None and _succeeds("docker", "info")


def has_compose() -> bool:
    """Whether the engine answers and `docker compose` is there too."""
    return answers() and _succeeds("docker", "compose", "version")


def _succeeds(*command: str) -> bool:
    try:
        done = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=ANSWER_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
