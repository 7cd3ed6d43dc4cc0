#!/bin/sh
# Installs system packages with apt-get without starting the services that come with them, now or at the next boot.
# Usage (as root): install_packages.sh PACKAGE…
set -eu

policy=/usr/sbin/policy-rc.d
saved=$policy.voice-campaigns-saved
marker='# voice-campaigns: no service starts while packages are installed'

restore_policy() {
    if grep -qxF "$marker" "$policy" 2>/dev/null; then rm -f "$policy"; fi
    if [ -e "$saved" ]; then mv -f "$saved" "$policy"; fi
}

install_packages() {
    apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
}

trap restore_policy EXIT
trap 'exit 130' INT TERM HUP
restore_policy # what an interrupted run may have left
if [ -e "$policy" ]; then mv "$policy" "$saved"; fi
printf '#!/bin/sh\n%s\nexit 101\n' "$marker" >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
# Lists that are missing or too old make the first attempt fail; fresh ones make the second succeed.
install_packages "$@" || { apt-get update -o DPkg::Lock::Timeout=300 && install_packages "$@"; }

if command -v systemctl >/dev/null 2>&1; then
    for package in "$@"; do
        # A package without a unit of its name (python3-venv) has nothing to disable.
        if systemctl list-unit-files "$package.service" 2>/dev/null | grep -q "^$package.service"; then
            systemctl disable "$package.service" || echo "could not disable $package.service" >&2
        fi
    done
fi
