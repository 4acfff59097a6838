"""A plugin for tests of the process. Its argument says what it does beside."""

from __future__ import annotations

import ctypes
import importlib
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from typing import Any

from examples import Ridge, Squares

from koopbench_plugin import Method, Training, serve

WHAT = sys.argv[1] if len(sys.argv) > 1 else ""


def square(k: int) -> int:
    return k * k


def fork_once(how: str, training: Training) -> str:
    """Forks, and returns what the child made known."""
    fork = multiprocessing.get_context("fork")
    if how == "pool":
        with fork.Pool(2) as pool:
            return repr(pool.map(square, range(5)))
    if how in ("exits", "terminate"):
        child = fork.Process(target=time.sleep if how == "terminate" else sys.exit, args=(60 if how == "terminate" else 3,))
        child.start()
        if how == "terminate":
            child.terminate()
        child.join()
        return repr(child.exitcode)
    if how == "loader":
        data = importlib.import_module("torch.utils.data")
        numbers = data.TensorDataset(importlib.import_module("torch").arange(20.0))
        return repr(sum(float(x.sum()) for (x,) in data.DataLoader(numbers, 5, num_workers=2)))
    pid = os.fork()
    if not pid:
        if how == "_exit":
            os._exit(7)
        if how == "reports":
            training.phase("child", 1)
        if how == "sys.exit":
            sys.exit(4)
        raise SystemExit  # it comes out of fit
    return repr(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


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
        elif WHAT == "signals":
            for number in os.environ["SIGNALS"].split():
                signal.pthread_kill(threading.get_ident(), int(number))  # to this thread, not the main one
            time.sleep(60)
        elif WHAT in ("pool", "exits", "terminate", "loader", "_exit", "reports", "sys.exit", "falls out"):
            for _ in range(10):
                training.warn(fork_once(WHAT, training))
        return lambda s: s


if WHAT == "early":
    print("printed before the handshake")
if WHAT == "signals":
    signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
if WHAT == "configured":
    logging.basicConfig(format="mine: %(message)s", level=logging.DEBUG)
    logging.debug("before serving")

if __name__ == "__main__":
    things: list[Any] = [Does(), Ridge(), Squares()]
    if WHAT == "invalid":
        things[0].name = "Does"
    serve(*things, version="1.5")
