#!/usr/bin/env bash
# Makes the private venv of the tools. Says exactly what is missing instead of failing halfway.
set -euo pipefail

python=$1
venv=$2

if ! command -v "$python" >/dev/null; then
    echo "Python 3.11 or newer is needed. On Debian: apt-get install python3 python3-venv" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Python 3.11 or newer is needed, but $python is $("$python" -V). Name another: make setup PYTHON=python3.12" >&2
    exit 1
fi
# Debian splits venv's ensurepip into a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "Python's venv module is incomplete. On Debian: apt-get install python3-venv" >&2
    exit 1
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
