"""A plugin for tests of the process. Its argument says what it does beside."""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
import time
import warnings
from typing import Any

from examples import Ridge, Squares

from koopbench_plugin import Method, Training, serve

WHAT = sys.argv[1] if len(sys.argv) > 1 else ""


class Does(Method):
    """Does what the argument says, in fit."""

    name = "does"
    summary = "what the argument says"

    def fit(self, training: Training) -> Any:
        if WHAT == "prints":
            print("printed by Python")
            ctypes.CDLL(None).puts(b"printed by C")
            ctypes.CDLL(None).fflush(None)
            os.system("echo printed by a child")
        elif WHAT == "reads":
            training.warn(repr(sys.stdin.read()))
        elif WHAT == "logs":
            logging.getLogger("my.module").info("info %d", 1)
            logging.getLogger("my.module").debug("too much detail")
            warnings.warn("a warning", UserWarning, stacklevel=1)
            logging.error("two\nlines")
            raise KeyError("missing")
        elif WHAT == "child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            training.phase("child", child.pid)
            if os.environ.get("BUSY"):
                time.sleep(60)
        return lambda s: s


if WHAT == "early":
    print("printed before the handshake")
if WHAT == "configured":
    logging.basicConfig(format="mine: %(message)s", level=logging.DEBUG)
    logging.debug("before serving")

if __name__ == "__main__":
    things: list[Any] = [Does(), Ridge(), Squares()]
    if WHAT == "invalid":
        things[0].name = "Does"
    serve(*things, version="1.5")
