"""Arrays on the wire: announced in a frame, then sent chunk by chunk."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from koopbench_plugin.errors import ContractError
from koopbench_plugin.wire import plugin_pb2 as wire

MAX_CHUNK = 1 << 20
MAX_ARRAY = 1 << 30
MAX_AXES = 8

AnyArray = npt.NDArray[Any]

DTYPES: dict[int, np.dtype[Any]] = {
    wire.FLOAT32: np.dtype("<f4"),
    wire.FLOAT64: np.dtype("<f8"),
    wire.INT64: np.dtype("<i8"),
    wire.COMPLEX128: np.dtype("<c16"),
    wire.PIXEL8: np.dtype("u1"),
    wire.UINT8: np.dtype("u1"),
}
TYPES: dict[np.dtype[Any], wire.Type] = {dtype: cast("wire.Type", kind) for kind, dtype in DTYPES.items() if kind != wire.PIXEL8}

PIXELS = (np.arange(256, dtype=np.float64) / 255).astype(np.float32)
"""The value of each pixel."""


def plain(value: Any) -> AnyArray:
    """Returns anything that becomes an array as one. A tensor of PyTorch may need a gradient or be on a device."""
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
    return np.asarray(value)


def announce(name: str, array: AnyArray) -> wire.Array:
    """Returns the announcement of an array.

    Raises:
        ContractError: it is too large.
    """
    if array.nbytes > MAX_ARRAY:
        raise ContractError(
            f"the array {name!r} of shape {array.shape} has {array.nbytes} bytes; the most that is sent at once is {MAX_ARRAY}"
        )
    return wire.Array(name=name, type=TYPES[array.dtype.newbyteorder("<")], shape=array.shape)


def chunks(arrays: Iterable[AnyArray]) -> Iterator[wire.Frame]:
    """Yields the frames that follow the announcement of arrays."""
    for array in arrays:
        data = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8)
        for start in range(0, data.size, MAX_CHUNK):
            yield wire.Frame(chunk=data[start : start + MAX_CHUNK].tobytes())


def receive(announced: Sequence[wire.Array], names: Sequence[str], frame: Callable[[], wire.Frame]) -> list[AnyArray]:
    """Receives the announced arrays, which must have these names in this order.

    The arrays are read-only; 8-bit pixels have become float32.

    Raises:
        ContractError: the host breaks the protocol.
    """
    if [a.name for a in announced] != list(names):
        raise ContractError(f"the host announced the arrays {[a.name for a in announced]}; here belong {list(names)}")
    sizes = [_size(a) for a in announced]
    return [_receive(a, size, frame) for a, size in zip(announced, sizes)]


def _size(a: wire.Array) -> int:
    """Checks an announcement and returns how many bytes it has."""
    dtype = DTYPES.get(a.type)
    if dtype is None:
        raise ContractError(f"the array {a.name!r} has the unknown type {a.type}")
    if len(a.shape) > MAX_AXES:
        raise ContractError(f"the array {a.name!r} has {len(a.shape)} axes; the most is {MAX_AXES}")
    size = dtype.itemsize * math.prod(max(axis, 1) for axis in a.shape)
    if size > MAX_ARRAY:
        raise ContractError(
            f"the array {a.name!r} of shape {tuple(a.shape)} is larger than {MAX_ARRAY} bytes, the most that is sent at once"
        )
    return 0 if 0 in a.shape else size


def _receive(a: wire.Array, size: int, frame: Callable[[], wire.Frame]) -> AnyArray:
    dtype = DTYPES[a.type]
    data = bytearray()
    while len(data) < size:
        content = frame()
        chunk = content.chunk
        if content.WhichOneof("content") != "chunk":
            raise ContractError(f"the host sent {kind(content)} where a chunk of the array {a.name!r} belongs")
        if not 0 < len(chunk) <= min(MAX_CHUNK, size - len(data)) or len(chunk) % dtype.itemsize:
            raise ContractError(
                f"the host sent a chunk of {len(chunk)} bytes of the array {a.name!r}, which lacks {size - len(data)}; "
                f"a chunk has whole numbers of {dtype.itemsize} bytes and at most {MAX_CHUNK} bytes"
            )
        data += chunk
    array: AnyArray = np.frombuffer(data, dtype=dtype).reshape(tuple(a.shape))
    if a.type == wire.PIXEL8:
        array = PIXELS[array]
    array.flags.writeable = False
    return array


def kind(frame: wire.Frame) -> str:
    """Says what a frame holds."""
    content = frame.WhichOneof("content")
    return f'a frame with "{content}"' if content else "an empty frame"
