#!/usr/bin/env bash
# packages.sh WHAT PACKAGE...: installs Debian packages when we are root, else says how and fails.
set -euo pipefail

what=$1
shift
if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
    echo "$what is missing; on Debian or Ubuntu install it as root: apt-get install $*" >&2
    exit 1
fi
echo "installing $what: $*" >&2
export DEBIAN_FRONTEND=noninteractive
{
    apt-get -q -o DPkg::Lock::Timeout=300 update
    apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
} >&2
