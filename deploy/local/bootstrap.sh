#!/bin/sh
# Creates the project's Python environment in .venv, or updates it to requirements-dev.lock; messages go to standard
# error. Finds a Python that can do it; on a Debian system, as root, installs python3-venv when none can.
set -eu
cd "$(dirname "$0")/../.."

log() { echo "$*" >&2; }

usable() {
    # A launcher of a version manager may be there without the version: what counts is that it runs.
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if usable "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

install_python() {
    if ! command -v apt-get >/dev/null 2>&1; then
        log "No Python 3.11 or newer with venv and ensurepip was found; install one and try again."
        return 1
    fi
    if [ "$(id -u)" = 0 ]; then as_root=; elif sudo -n true 2>/dev/null; then as_root='sudo -n'; else
        log "Python 3.11 or newer with venv is needed. Install it with:"
        log "  sudo apt-get update && sudo apt-get install python3 python3-venv"
        return 1
    fi
    log "Installing python3 and python3-venv"
    $as_root sh deploy/local/install_packages.sh python3 python3-venv >&2
}

# An environment whose Python was removed or replaced is created again.
if ! .venv/bin/python -c 'import pip' >/dev/null 2>&1; then
    if ! python=$(find_python); then
        install_python
        python=$(find_python) || { log "This system's python3 is older than 3.11; install a newer one."; exit 1; }
    fi
    log "Making the Python environment in .venv ($("$python" --version))"
    "$python" -m venv --clear .venv
fi
log "Installing the packages of requirements-dev.lock into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --requirement requirements-dev.lock >&2
touch .venv/.installed
