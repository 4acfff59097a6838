#!/bin/sh
# Makes the virtual environment .venv, with the SDK of this checkout. It can run again.
set -eu
cd "$(dirname "$0")"
"${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check ../../sdk/python
