"""The program ``bench``, which the wheels carry."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

PLATFORMS = "Linux on x86-64 and arm64, macOS 12 or later on arm64 and x86-64, Windows on x86-64"


def program() -> Path:
    """Returns the path of the program.

    Raises:
        FileNotFoundError: the package was installed without it, as from source.
    """
    path = Path(__file__).parent / ("bench.exe" if sys.platform == "win32" else "bench")
    if not path.is_file():
        raise FileNotFoundError(
            f"this installation of koopbench for {platform.system()} on {platform.machine()} has no program: there are wheels "
            f"with it for {PLATFORMS}; elsewhere, `go build -o {path} ./cmd/bench` in a checkout of koopbench builds it"
        )
    return path


def main() -> NoReturn:
    """Runs the program with the arguments of this process, and ends as it ends."""
    try:
        command = [str(program()), *sys.argv[1:]]
    except FileNotFoundError as err:
        sys.exit(f"koopbench: {err}")
    if sys.platform != "win32":
        os.execv(command[0], command)
    # Ctrl-C reaches the program too, which decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.call(command))
