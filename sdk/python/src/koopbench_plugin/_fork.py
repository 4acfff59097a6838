"""Forks of a plugin's process: a child keeps away from what belongs to the plugin, its connection and its signals.

An author's code may fork, by multiprocessing, os.fork or torch's DataLoader. The child has none of the plugin's threads but a
copy of the one that forked.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any, NoReturn

# gRPC's own handlers crash the child if other threads are in a call, as those of a plugin always are. gRPC reads this when it is
# imported, so this module comes before it.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

_plugin = 0  # the process that serves
_mask = threading.local()
_listening = False


def in_child() -> bool:
    """Whether this process is a child, by fork, of the one that serves."""
    return _plugin not in (0, os.getpid())


def prepare() -> None:
    """Makes forks safe. It is called once."""
    global _plugin
    _plugin = os.getpid()
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_in_child)


class Termination:
    """The end of this process, asked for by SIGTERM or by a thread.

    Python writes the number of each signal that it handles to a pipe, whichever thread the system gave it to. A lock would not
    do: the main thread sleeps on if another thread takes the signal.
    """

    def __init__(self) -> None:
        self._asked, self._ask = os.pipe()
        os.set_blocking(self._ask, False)

    def listen(self) -> None:
        """Has SIGTERM ask for the end of this process, and end the children of this process as usual."""
        global _listening
        signal.set_wakeup_fd(self._ask, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, _noted)
        _listening = True

    def ask(self) -> None:
        """Asks for the end, from any thread."""
        os.write(self._ask, bytes([signal.SIGTERM]))

    def wait(self) -> None:
        """Returns once the end is asked for. The numbers of other signals, of the author's code, pass by."""
        while os.read(self._asked, 1)[0] != signal.SIGTERM:
            pass


def _noted(*_: Any) -> None:
    """Is there so that Python handles the signal."""


def _hold() -> None:
    """Keeps back a SIGTERM that comes before the child has its own handler."""
    _mask.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _let_go() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _mask.before)


def _in_child() -> None:
    if _listening:
        signal.set_wakeup_fd(-1)
        if signal.getsignal(signal.SIGTERM) is _noted:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _let_go()


@contextlib.contextmanager
def parent_only() -> Iterator[None]:
    """Ends a child that comes out of the author's code in its body: it would go on as a second plugin.

    Its status is that of its SystemExit, 1 for another exception, 0 for none.
    """
    try:
        yield
    except BaseException as error:
        if in_child():
            _leave(error)
        raise
    if in_child():
        _leave(None)


def _leave(error: BaseException | None) -> NoReturn:
    status = 0
    if isinstance(error, SystemExit) and isinstance(error.code, (int, type(None))):
        status = error.code or 0
    elif error is not None:
        status = 1
        traceback.print_exception(error)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(status)
