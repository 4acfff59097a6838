#!/bin/sh
# Makes the virtual environment .venv, with kooplearn, torch and the SDK of this checkout. It can run again. PyTorch's CUDA
# libraries come along where pip chooses a build with them.
set -eu
cd "$(dirname "$0")"
"${PYTHON:-python3}" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt ../../sdk/python
