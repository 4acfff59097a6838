"""Calls under way, and the threads on which an author's code runs."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future
from typing import Protocol, TypeVar

import numpy as np

from koopbench_plugin import _arrays, _fork
from koopbench_plugin._counts import count
from koopbench_plugin.errors import (
    Cancelled,
    ContractError,
    LabelError,
    NonFiniteError,
    OptionError,
    PluginError,
    ShapeError,
    TooShortError,
    UnavailableError,
    UnknownError,
)
from koopbench_plugin.training import Epoch, Matrix, Snapshots
from koopbench_plugin.wire import plugin_pb2 as wire

T = TypeVar("T")

UNSENT = 64
"""The frames of one call that may wait to be sent, chunks of snapshots for the oracle's encoder among them."""

ERRORS: dict[int, type[PluginError]] = {
    e.kind: e
    for e in (
        ContractError,
        LabelError,
        NonFiniteError,
        OptionError,
        PluginError,
        ShapeError,
        TooShortError,
        UnavailableError,
        UnknownError,
    )
}


class Context(Protocol):
    """The part of gRPC's context of a call that is used here."""

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Has callback called when the call ends; false where it has ended."""

    def set_trailing_metadata(self, trailing_metadata: tuple[tuple[str, str], ...]) -> None:
        """Says what the host gets at the end of the call."""


class Call:
    """One call: what author's code sends while it runs, what the host answers, and whether it is cancelled."""

    def __init__(self, requests: Iterator[wire.Frame], context: Context) -> None:
        self._requests = requests
        self._context = context
        self._waited = 0.0  # seconds in which author's code waited for the host
        self._out: queue.SimpleQueue[wire.Frame | None] = queue.SimpleQueue()  # None wakes run
        self._room = threading.BoundedSemaphore(UNSENT)
        self._ended = threading.Event()
        self._exchange = threading.Lock()
        self._sending = threading.Lock()
        if not context.add_callback(self._end):
            self._end()

    def _end(self) -> None:
        self._ended.set()
        self._out.put(None)

    @property
    def cancelled(self) -> bool:
        """Whether the host has cancelled the call, or its time is over."""
        return self._ended.is_set()

    def check(self) -> None:
        """Raises Cancelled if the call is cancelled."""
        if self.cancelled:
            raise Cancelled("the call was cancelled, or its time is over")

    def receive(self) -> wire.Frame:
        """Returns the next frame from the host."""
        try:
            return next(self._requests)
        except StopIteration:
            self.check()
            raise ContractError("the host ended the call before all of it was sent") from None
        except Exception:
            # gRPC raises a bare Exception where the call has ended or a message cannot be parsed.
            raise Cancelled("the connection of the call has ended") from None

    def send(self, *frames: wire.Frame) -> None:
        """Sends frames from author's code, one after the other with nothing in between. It waits while too many are unsent."""
        self._not_in_child()
        with self._sending:
            for frame in frames:
                while not self._room.acquire(timeout=0.1):
                    self.check()
                self.check()
                self._out.put(frame)

    def _not_in_child(self) -> None:
        if _fork.in_child():
            raise UnavailableError(
                "this is a child of the plugin's process, and the connection with the host belongs to the parent; report "
                "progress, store checkpoints and ask for the oracle's features there"
            )

    def embed(self, snapshots: Snapshots, dim: int) -> Matrix:
        """Asks the host for the features of snapshots by the oracle's encoder. Several threads may ask."""
        self._not_in_child()
        with self._exchange, self.waiting():
            question = wire.Embed(arrays=[_arrays.announce("snapshots", snapshots)])
            self.send(wire.Frame(embed=question), *_arrays.chunks([snapshots]))
            frame = self.receive()
            if frame.WhichOneof("content") != "features":
                raise ContractError(f"the host sent {_arrays.kind(frame)} where features belong")
            if frame.features.HasField("failure"):
                failure = frame.features.failure
                if failure.kind == wire.Failure.CANCELLED:
                    raise Cancelled(failure.message)
                raise ERRORS.get(failure.kind, PluginError)(f"the oracle's encoder: {failure.message}")
            (features,) = _arrays.receive(frame.features.arrays, ["features"], self.receive)
        if features.dtype != np.float64 or features.shape != (len(snapshots), dim):
            raise ContractError(
                f"the host sent features of shape {features.shape} for {len(snapshots)} snapshots; there must be {dim} of each"
            )
        return features

    def _tell(self, computed: float) -> None:
        """Tells the host, at the end of the call, for how many seconds author's code ran."""
        self._context.set_trailing_metadata((("koopbench-computed-seconds", f"{max(computed, 0):.9f}"),))

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Takes the time of its body off that of author's code."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._waited += time.perf_counter() - begun

    def run(self, thread: Thread, work: Callable[[], T]) -> Generator[wire.Frame, None, T]:
        """Runs author's code on a thread and yields the frames that it sends meanwhile; returns what it returns."""

        def linked() -> T:
            self.check()
            thread.call = self
            begun = time.perf_counter()
            try:
                with _fork.parent_only():
                    return work()
            finally:
                thread.call = None
                self._tell(time.perf_counter() - begun - self._waited)

        future = thread.submit(linked)
        future.add_done_callback(lambda _: self._out.put(None))
        while True:
            frame = self._out.get()
            if frame is not None:
                self._room.release()
                yield frame
            elif future.done() or self.cancelled:
                break
        if not future.done():
            future.cancel()
            self.check()
        return future.result()


class Thread:
    """The one thread on which the code of a fitted thing runs. It is the fit's host: it asks the call under way."""

    def __init__(self, name: str, oracle_dim: int = 0, checkpoint_seconds: float = 0.0) -> None:
        # It is no ThreadPoolExecutor: a child that is forked on one of its threads fails at its end, as it joins itself.
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()
        self.call: Call | None = None
        self.fitting = True
        self._oracle_dim = oracle_dim
        self._every = checkpoint_seconds
        self._due = time.monotonic() + checkpoint_seconds

    def end(self) -> None:
        """Ends the thread once what runs on it has returned."""
        self._work.put(None)

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Has the thread do some work, once it has done what came before."""
        future: Future[T] = Future()

        def do() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)

        self._work.put(do)
        return future

    def _run(self) -> None:
        for do in iter(self._work.get, None):
            do()
            del do  # it refers to training data

    @property
    def cancelled(self) -> bool:
        """Whether the call under way is cancelled."""
        return self.call is not None and self.call.cancelled

    def check(self) -> None:
        """Raises Cancelled if the call under way is cancelled."""
        if self.call is not None:
            self.call.check()

    def _report(self, frame: wire.Frame) -> None:
        if self.call is not None and self.fitting:
            self.call.send(frame)
        self.check()

    def phase(self, name: str, total: int) -> None:
        """Tells the host of a fit."""
        self._report(wire.Frame(phase=wire.Phase(name=name, total=count(f"total of the phase {name!r}", total))))

    def advance(self, done: int) -> None:
        """Tells the host of a fit."""
        self._report(wire.Frame(advance=wire.Advance(done=count("progress", done))))

    def epoch(self, epoch: Epoch) -> None:
        """Tells the host of a fit."""
        self._report(wire.Frame(epoch=epoch_to_wire(epoch)))

    @property
    def checkpoint_due(self) -> bool:
        """Whether the host wants a checkpoint by now."""
        return self._every > 0 and self.fitting and time.monotonic() >= self._due

    def checkpoint(self, name: str, arrays: Mapping[str, _arrays.AnyArray]) -> None:
        """Sends a checkpoint, where the host keeps any."""
        if self.call is not None and self.fitting and self._every > 0:
            state = wire.State(name=name, arrays=[_arrays.announce(n, a) for n, a in arrays.items()])
            self.call.send(wire.Frame(checkpoint=state), *_arrays.chunks(arrays.values()))
            self._due = time.monotonic() + self._every
        self.check()

    def embed(self, snapshots: Snapshots) -> Matrix:
        """Asks the host."""
        call = self.call
        if call is None:
            raise UnavailableError("the oracle's encoder is there during calls of the host only")
        return call.embed(snapshots, self._oracle_dim)


def epoch_to_wire(epoch: Epoch) -> wire.Epoch:
    """Returns an epoch as it is sent."""
    return wire.Epoch(number=count("number of an epoch", epoch.number), train=epoch.train, validation=epoch.validation)
