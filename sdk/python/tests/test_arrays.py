"""The codec of arrays, and hostile streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from conftest import Serve
from examples import Given, LeastSquares, Nearest, Pca, Squares
from host import SERVICE, Array, Host
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from koopbench_plugin import ContractError, _arrays
from koopbench_plugin.wire import plugin_pb2 as wire

DTYPES = [np.dtype(d) for d in ("<f4", "<f8", "<i8", "<c16")]


def receive(announced: list[wire.Array], frames: Iterator[wire.Frame]) -> list[Array]:
    return _arrays.receive(announced, [a.name for a in announced], lambda: next(frames))


@given(st.lists(st.sampled_from(DTYPES).flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_side=0, max_dims=8))), max_size=3))
def test_arrays_survive_the_wire(arrays: list[Array]) -> None:
    announced = [_arrays.announce(str(k), a) for k, a in enumerate(arrays)]
    frames = _arrays.chunks(arrays)
    for sent, got in zip(arrays, receive(announced, frames), strict=True):
        assert (got.dtype, got.shape) == (sent.dtype, sent.shape)
        assert got.tobytes() == sent.tobytes()
        assert not got.flags.writeable
    assert next(frames, None) is None


def test_big_endian_and_strided_arrays() -> None:
    a = np.arange(24, dtype=">f8").reshape(4, 6)[::-1, ::2]
    (got,) = receive([_arrays.announce("a", a)], _arrays.chunks([a]))
    np.testing.assert_array_equal(got, a)


def test_chunks_have_a_megabyte_at_most() -> None:
    a = np.arange(300_000, dtype=np.float64)
    assert [len(f.chunk) for f in _arrays.chunks([a])] == [1 << 20, 1 << 20, 2_400_000 - (1 << 21)]
    assert list(_arrays.chunks([a[:0]])) == []


def test_pixels() -> None:
    announced = wire.Array(name="p", type=wire.PIXEL8, shape=[256])
    (got,) = receive([announced], iter([wire.Frame(chunk=bytes(range(256)))]))
    np.testing.assert_array_equal(got, (np.arange(256) / 255.0).astype(np.float32))
    assert got.dtype == np.float32


def test_chunks_of_any_size() -> None:
    data = np.arange(5, dtype=np.float32)
    raw = data.tobytes()
    frames = iter([wire.Frame(chunk=raw[:4]), wire.Frame(chunk=raw[4:16]), wire.Frame(chunk=raw[16:])])
    (got,) = receive([_arrays.announce("a", data)], frames)
    np.testing.assert_array_equal(got, data)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"type": wire.TYPE_UNSPECIFIED, "shape": [1]}, "unknown type 0"),
        ({"type": 99, "shape": [1]}, "unknown type 99"),
        ({"type": wire.FLOAT32, "shape": [1] * 9}, "9 axes"),
        ({"type": wire.FLOAT32, "shape": [(1 << 28) + 1]}, "larger than 1073741824 bytes"),
        ({"type": wire.PIXEL8, "shape": [1 << 32, 1 << 32]}, "larger than"),
        ({"type": wire.PIXEL8, "shape": [2**64 - 1] * 8}, "larger than"),
        ({"type": wire.FLOAT32, "shape": [0, 1 << 31, 1 << 31]}, "larger than"),
    ],
)
def test_wrong_announcements(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ContractError, match=says):
        receive([wire.Array(name="a", **fields)], iter([]))


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (wire.Frame(chunk=b""), "a chunk of 0 bytes"),
        (wire.Frame(chunk=b"12345"), "whole numbers of 4 bytes"),
        (wire.Frame(chunk=bytes(12)), "which lacks 8"),
        (wire.Frame(), "an empty frame"),
        (wire.Frame(fit=wire.FitCall()), 'a frame with "fit"'),
    ],
)
def test_wrong_chunks(frame: wire.Frame, says: str) -> None:
    with pytest.raises(ContractError, match=says):
        receive([wire.Array(name="a", type=wire.FLOAT32, shape=[2])], iter([frame]))


def test_chunks_over_a_megabyte() -> None:
    with pytest.raises(ContractError, match="at most 1048576"):
        receive([wire.Array(name="a", type=wire.PIXEL8, shape=[1 << 21])], iter([wire.Frame(chunk=bytes((1 << 20) + 1))]))


def test_arrays_too_large_to_send() -> None:
    huge = np.broadcast_to(np.float64(0), (1 << 27, 2))
    with pytest.raises(ContractError, match="the most that is sent at once"):
        _arrays.announce("a", huge)


def outcome(host: Host, method: str, requests: list[bytes]) -> str:
    """Sends raw messages, and says how the call ended: with a failure's or a status' name."""
    stream = host.channel.stream_stream(SERVICE + method, response_deserializer=wire.Frame.FromString)
    last = "nothing"
    try:
        for frame in stream(iter(requests), timeout=20):
            last = frame.WhichOneof("content") or "an empty frame"
    except grpc.RpcError as error:
        assert isinstance(error, grpc.Call)
        assert error.code() not in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE), error
        return error.code().name
    return last


METHODS = st.sampled_from(["Fit", "Apply", "Evaluate"])
# Fields that make a call get past its first checks as often as not.
NUMBERS = st.integers(0, 3) | st.integers(0, 2**64 - 1)
ANNOUNCED = st.builds(
    wire.Array,
    name=st.sampled_from(["train", "validation", "snapshots", "features", "x", "y", ""]),
    type=st.integers(0, 6),
    shape=st.lists(NUMBERS, max_size=9),
)
ARRAYS = st.lists(ANNOUNCED, max_size=4)
KINDS = st.integers(0, 6)
NAMES = st.sampled_from(["given", "pca", "least-squares", "squares", "nearest", "", "none"])
VALUES = st.builds(wire.Value, whole=st.integers(0, 3)) | st.builds(wire.Value, number=st.floats())
OPTIONS = st.dictionaries(st.sampled_from(["dim", "weight", "x"]), VALUES, max_size=2)
FRAMES = st.one_of(
    st.builds(wire.Frame, chunk=st.binary(max_size=64)),
    st.builds(
        wire.Frame,
        fit=st.builds(wire.FitCall, kind=KINDS, name=NAMES, options=OPTIONS, lag=NUMBERS, states=NUMBERS, arrays=ARRAYS),
    ),
    st.builds(
        wire.Frame, apply=st.builds(wire.ApplyCall, handle=NUMBERS, operation=st.integers(0, 9), steps=NUMBERS, arrays=ARRAYS)
    ),
    st.builds(wire.Frame, evaluate=st.builds(wire.EvaluateCall, name=NAMES, options=OPTIONS, arrays=ARRAYS)),
    st.builds(wire.Frame, features=st.builds(wire.Features, arrays=ARRAYS)),
    st.builds(wire.Frame),
)


@pytest.fixture
def target(serve: Serve, x: Array) -> Iterator[Host]:
    """A plugin of all kinds that has something fitted, and that is well at the end."""
    host = serve(Given(lambda _: lambda s: s), Pca(), LeastSquares(), Squares(), Nearest())
    host.fit_method("given", x)
    host.fit_method("pca", x, kind=wire.EMBEDDER, options={"dim": 2})
    yield host
    assert host.healthy()
    assert len(host.describe().things) == 5
    host.fit_method("given", x)


QUICK = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(method=METHODS, requests=st.lists(st.binary(max_size=200), max_size=3))
def test_random_bytes(target: Host, method: str, requests: list[bytes]) -> None:
    assert outcome(target, method, requests) != "nothing"


@QUICK
@given(method=METHODS, frames=st.lists(FRAMES, max_size=4))
def test_random_frames(target: Host, method: str, frames: list[wire.Frame]) -> None:
    ended = outcome(target, method, [f.SerializeToString() for f in frames])
    assert ended in ("failure", "fitted", "result", "loss", "chunk")


@QUICK
@given(data=st.data())
def test_mutated_calls(target: Host, x: Array, data: st.DataObject) -> None:
    call = wire.FitCall(
        kind=wire.METHOD, name="given", lag=1, states=2, arrays=[_arrays.announce(n, x) for n in ("train", "validation")]
    )
    messages = [f.SerializeToString() for f in (wire.Frame(fit=call), *_arrays.chunks([x, x]))]
    which = data.draw(st.integers(0, len(messages) - 1))
    mutated = bytearray(messages[which])
    for _ in range(data.draw(st.integers(1, 3))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    messages[which] = bytes(mutated[: data.draw(st.integers(0, len(mutated)))])
    assert outcome(target, "Fit", messages) != "nothing"


def test_calls_that_end_too_soon(target: Host, x: Array) -> None:
    call = wire.FitCall(
        kind=wire.METHOD, name="given", lag=1, states=2, arrays=[_arrays.announce(n, x) for n in ("train", "validation")]
    )
    assert outcome(target, "Fit", []) == "failure"
    assert outcome(target, "Fit", [wire.Frame(fit=call).SerializeToString()]) == "failure"


def test_messages_over_the_limit(target: Host) -> None:
    assert outcome(target, "Fit", [wire.Frame(chunk=bytes(5 << 20)).SerializeToString()]) == "RESOURCE_EXHAUSTED"
