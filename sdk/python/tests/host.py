"""A small host that speaks the wire format: in process on a service, or with a plugin's process."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt

from koopbench_plugin import Epoch
from koopbench_plugin.wire import plugin_pb2 as wire

Array = npt.NDArray[Any]

SERVICE = "/koopbench.plugin.v1.Plugin/"
NUMBERS = {
    wire.FLOAT32: "<f4",
    wire.FLOAT64: "<f8",
    wire.INT64: "<i8",
    wire.COMPLEX128: "<c16",
    wire.PIXEL8: "|u1",
    wire.UINT8: "|u1",
}


class Failed(Exception):
    """A Failure came."""

    def __init__(self, failure: wire.Failure) -> None:
        super().__init__(f"{wire.Failure.Kind.Name(failure.kind)}: {failure.message}")
        self.kind = wire.Failure.Kind.Name(failure.kind)
        self.message = failure.message
        self.stack = failure.stack


@dataclass
class Fitted:
    handle: int
    dim: int
    rank: int
    abilities: list[str]
    report: wire.Report
    eigenvalues: Array | None
    phases: list[tuple[str, int]] = field(default_factory=list)
    advances: list[int] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    checkpoints: list[tuple[str, dict[str, Array]]] = field(default_factory=list)


def value(v: object) -> wire.Value:
    match v:
        case bool():
            return wire.Value(switch=v)
        case int():
            return wire.Value(whole=v)
        case float():
            return wire.Value(number=v)
    return wire.Value(choice=str(v))


def announce(name: str, array: Array) -> wire.Array:
    (kind,) = (k for k, d in NUMBERS.items() if np.dtype(d) == array.dtype and k != wire.UINT8)
    return wire.Array(name=name, type=kind, shape=array.shape)


def chunks(*arrays: Array) -> Iterator[wire.Frame]:
    for array in arrays:
        data = array.tobytes()
        for start in range(0, len(data), 1 << 20):
            yield wire.Frame(chunk=data[start : start + (1 << 20)])


def read(announced: Iterable[wire.Array], frames: Iterator[wire.Frame]) -> dict[str, Array]:
    arrays = {}
    for a in announced:
        dtype = np.dtype(NUMBERS[a.type])
        size = dtype.itemsize * int(np.prod(a.shape, dtype=int))
        data = bytearray()
        while len(data) < size:
            frame = next(frames)
            assert frame.WhichOneof("content") == "chunk", frame
            assert 0 < len(frame.chunk) <= 1 << 20
            assert len(frame.chunk) % dtype.itemsize == 0
            data += frame.chunk
        assert len(data) == size, "a chunk goes over the end of its array"
        arrays[a.name] = np.frombuffer(data, dtype).reshape(tuple(a.shape))
    return arrays


class Host:
    """The host's side of the protocol on a channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel

    def unary(self, method: str, request: Any, reply: Any, timeout: float = 20) -> Any:
        return self.channel.unary_unary(SERVICE + method, type(request).SerializeToString, reply.FromString)(
            request, timeout=timeout
        )

    def describe(self) -> wire.DescribeReply:
        reply: wire.DescribeReply = self.unary("Describe", wire.DescribeRequest(), wire.DescribeReply)
        return reply

    def release(self, handle: int) -> None:
        self.unary("Release", wire.ReleaseRequest(handle=handle), wire.ReleaseReply)

    def healthy(self, service: bytes = b"\x0a\x06plugin") -> bytes:
        reply: bytes = self.channel.unary_unary("/grpc.health.v1.Health/Check")(service, timeout=20)
        return reply

    def shutdown(self) -> None:
        self.channel.unary_unary("/plugin.GRPCController/Shutdown")(b"", timeout=20)

    def call(self, method: str, frames: Iterable[wire.Frame], timeout: float | None = 60) -> Any:
        stream = self.channel.stream_stream(SERVICE + method, wire.Frame.SerializeToString, wire.Frame.FromString)
        return stream(iter(frames), timeout=timeout)

    def exchange(
        self,
        method: str,
        frames: Iterable[wire.Frame],
        last: str,
        embed: Callable[[Array], Array | wire.Failure] | None = None,
        timeout: float | None = 60,
    ) -> tuple[Any, dict[str, Array], list[wire.Frame]]:
        """Makes a call; answers Embed; returns the last message, its arrays and the frames of progress before it."""
        out: queue.SimpleQueue[wire.Frame | None] = queue.SimpleQueue()

        def requests() -> Iterator[wire.Frame]:
            yield from frames
            yield from iter(out.get, None)

        replies = self.call(method, requests(), timeout)
        self.trailing = replies.trailing_metadata  # of the last call, waits for its end
        self.checkpoints: list[tuple[str, dict[str, Array]]] = []  # of the last call
        progress: list[wire.Frame] = []
        try:
            for frame in replies:
                content = frame.WhichOneof("content")
                if content == "failure":
                    raise Failed(frame.failure)
                if content == "embed":
                    assert embed is not None
                    answer = embed(read(frame.embed.arrays, replies)["snapshots"])
                    if isinstance(answer, wire.Failure):
                        out.put(wire.Frame(features=wire.Features(failure=answer)))
                        continue
                    out.put(wire.Frame(features=wire.Features(arrays=[announce("features", answer)])))
                    for chunk in chunks(answer):
                        out.put(chunk)
                    continue
                if content == "checkpoint":
                    self.checkpoints.append((frame.checkpoint.name, read(frame.checkpoint.arrays, replies)))
                    continue
                if content == last:
                    message = getattr(frame, last)
                    arrays = read(message.arrays, replies)
                    assert next(replies, None) is None, "frames after the last"
                    return message, arrays, progress
                progress.append(frame)
        finally:
            out.put(None)
        raise AssertionError(f"the call ended without {last}")

    def fit(
        self,
        kind: wire.Kind,
        name: str,
        *arrays: tuple[str, Array],
        options: Mapping[str, object] | None = None,
        embed: Callable[[Array], Array | wire.Failure] | None = None,
        timeout: float | None = 60,
        **fields: Any,
    ) -> Fitted:
        """Fits; fields are further ones of FitCall: seed, lag, states, precision, oracle_dim."""
        frames = fit_frames(kind, name, *arrays, options=options, **fields)
        message, received, progress = self.exchange("Fit", frames, "fitted", embed, timeout)
        result = Fitted(
            message.handle, message.dim, message.rank, list(message.abilities), message.report, received.get("eigenvalues")
        )
        result.checkpoints = self.checkpoints
        for frame in progress:
            match frame.WhichOneof("content"):
                case "phase":
                    result.phases.append((frame.phase.name, frame.phase.total))
                case "advance":
                    result.advances.append(frame.advance.done)
                case "epoch":
                    result.epochs.append(Epoch(frame.epoch.number, frame.epoch.train, frame.epoch.validation))
                case other:
                    raise AssertionError(other)
        return result

    def fit_method(
        self, name: str, train: Array, validation: Array | None = None, kind: wire.Kind = wire.METHOD, **more: Any
    ) -> Fitted:
        """Fits a method, or an embedder."""
        return self.fit(
            kind,
            name,
            ("train", train),
            ("validation", train if validation is None else validation),
            **({"lag": 1, "states": 2} | more),
        )

    def apply(
        self,
        handle: int,
        operation: wire.Operation,
        x: Array,
        steps: int = 0,
        on: str = "snapshots",
        embed: Callable[[Array], Array | wire.Failure] | None = None,
    ) -> Array:
        frames = apply_frames(handle, operation, (on, x), steps=steps)
        _, arrays, progress = self.exchange("Apply", frames, "result", embed)
        assert not progress
        (result,) = arrays.values()
        return result

    def evaluate(self, name: str, x: Array, y: Array, **options: object) -> tuple[float, Array, Array, Sequence[str]]:
        call = wire.EvaluateCall(
            name=name, options={k: value(v) for k, v in options.items()}, arrays=[announce("x", x), announce("y", y)]
        )
        message, arrays, _ = self.exchange("Evaluate", [wire.Frame(evaluate=call), *chunks(x, y)], "loss")
        return message.value, arrays["gradient_x"], arrays["gradient_y"], list(message.warnings)

    def open(self, name: str, **given: object) -> tuple[wire.Opened, dict[str, Array]]:
        """Opens a task, with a value for every option."""
        call = wire.OpenCall(name=name, options={k: value(v) for k, v in given.items()})
        message, arrays, _ = self.exchange("Open", [wire.Frame(open=call)], "opened")
        return message, arrays

    def fit_score(self, problem: int, seed: int = 0) -> int:
        """Fits the score of a problem and returns its handle."""
        call = wire.FitScoreCall(problem=problem, seed=seed, name="judge", states=1)
        message, arrays, _ = self.exchange("Fit", [wire.Frame(fit_score=call)], "fitted")
        assert not arrays
        return int(message.handle)

    def score(self, handle: int, step: int, predicted: Array) -> Array:
        """Asks for scores."""
        call = wire.ScoreCall(handle=handle, step=step, arrays=[announce("snapshots", predicted)])
        _, arrays, _ = self.exchange("Apply", [wire.Frame(score=call), *chunks(predicted)], "result")
        return arrays["scores"]


def fit_frames(
    kind: wire.Kind,
    name: str,
    *arrays: tuple[str, Array],
    options: Mapping[str, object] | None = None,
    checkpoints: Mapping[str, Mapping[str, Array]] | None = None,
    **fields: Any,
) -> Iterator[wire.Frame]:
    kept = checkpoints or {}
    call = wire.FitCall(
        kind=kind,
        name=name,
        options={k: value(v) for k, v in (options or {}).items()},
        arrays=[announce(n, a) for n, a in arrays],
        checkpoints=[wire.State(name=n, arrays=[announce(k, a) for k, a in of.items()]) for n, of in kept.items()],
        **fields,
    )
    yield wire.Frame(fit=call)
    yield from chunks(*(a for _, a in arrays), *(a for of in kept.values() for a in of.values()))


def apply_frames(handle: int, operation: wire.Operation, *arrays: tuple[str, Array], steps: int = 0) -> Iterator[wire.Frame]:
    announced = [announce(n, a) for n, a in arrays]
    yield wire.Frame(apply=wire.ApplyCall(handle=handle, operation=operation, steps=steps, arrays=announced))
    yield from chunks(*(a for _, a in arrays))


class Launched:
    """A plugin's process."""

    def __init__(self, command: Sequence[str | Path], folder: Path, **environment: str) -> None:
        self.sockets = folder
        variables = {
            "KOOPBENCH_PLUGIN": "evolution-operators",
            "PLUGIN_PROTOCOL_VERSIONS": "1",
            "PLUGIN_UNIX_SOCKET_DIR": str(folder),
            "PLUGIN_CLIENT_CERT": "ignored",
        }
        self.process = subprocess.Popen(
            [str(c) for c in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **variables, **environment},
            start_new_session=True,
        )
        self._stderr: list[bytes] = []
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()
        self.channel: grpc.Channel | None = None

    def _drain(self) -> None:
        assert self.process.stderr is not None
        self._stderr.extend(self.process.stderr)

    def handshake(self, seconds: float = 30) -> str:
        """Returns the first line of standard output, without its end, or "" where the process has ended."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        assert ready, "no handshake"
        return self.process.stdout.readline().decode().rstrip("\n")

    def connect(self) -> Host:
        line = self.handshake()
        core, protocol, network, address, kind = line.split("|")
        assert (core, protocol, network, kind) == ("1", "1", "unix", "grpc")
        self.socket = Path(address)
        # The address by way of "passthrough": gRPC would decode percent signs of a path.
        self.channel = grpc.insecure_channel("unix:" + address.replace("%", "%25"))
        return Host(self.channel)

    def stderr(self) -> str:
        """Returns what has come on standard error; all of it, once the process has ended."""
        if self.process.poll() is not None:
            self._reader.join(10)
        return b"".join(self._stderr).decode()

    def close_stdin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait(self, seconds: float = 20) -> int:
        return self.process.wait(seconds)

    def end(self) -> None:
        if self.channel is not None:
            self.channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self._reader.join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()


@contextlib.contextmanager
def launch(*command: str | Path, **environment: str) -> Iterator[Launched]:
    """Starts a plugin as the host does; ends it and its children afterwards."""
    with tempfile.TemporaryDirectory(prefix="kb") as folder:
        plugin = Launched(command, Path(folder), **environment)
        try:
            yield plugin
        finally:
            plugin.end()


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Waits for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
