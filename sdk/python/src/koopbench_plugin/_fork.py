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
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

# gRPC's own handlers crash the child if other threads are in a call, as those of a plugin always are. gRPC reads this when it is
# imported, so this module comes before it.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

_plugin = 0  # the process that serves
_mask = threading.local()
_handler: Any = None


def in_child() -> bool:
    """Whether this process is a child, by fork, of the one that serves."""
    return _plugin not in (0, os.getpid())


def prepare() -> None:
    """Makes forks safe. It is called once."""
    global _plugin
    _plugin = os.getpid()
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_in_child)


def on_termination(do: Callable[[], None]) -> None:
    """Has SIGTERM call do in this process, and end the children of this process as usual."""
    global _handler
    _handler = lambda *_: do()  # noqa: E731 # getsignal must return the same object
    signal.signal(signal.SIGTERM, _handler)


def _hold() -> None:
    """Keeps back a SIGTERM that comes before the child has its own handler."""
    _mask.before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _let_go() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _mask.before)


def _in_child() -> None:
    if _handler is not None and signal.getsignal(signal.SIGTERM) is _handler:
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
