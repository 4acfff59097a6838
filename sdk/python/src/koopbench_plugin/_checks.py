"""Checks of arrays: those that come from the host, and those that an author's code returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from koopbench_plugin import _arrays
from koopbench_plugin._arrays import AnyArray
from koopbench_plugin.errors import ContractError, LabelError, NonFiniteError, ShapeError, TooShortError
from koopbench_plugin.training import Labels, Matrix, Snapshots, split
from koopbench_plugin.wire import plugin_pb2 as wire


def finite(array: AnyArray) -> bool:
    """Whether all values are finite."""
    return bool(np.isfinite(array).all())


def _first_non_finite(array: AnyArray) -> str:
    where = np.argwhere(~np.isfinite(array))[0]
    return f"the value at {[int(i) for i in where]} is {array[tuple(where)]}"


def snapshots(what: str, array: AnyArray) -> Snapshots:
    """Checks snapshots from the host: an array of at least two axes, finite."""
    if array.dtype != np.float32 or array.ndim < 2 or 0 in array.shape[1:]:
        raise ContractError(
            f"{what}: the host sent {array.dtype} of shape {array.shape}; snapshots are float32 with a time axis and at "
            "least one other"
        )
    if not finite(array):
        raise NonFiniteError(f"{what}: {_first_non_finite(array)}")
    return array


def matrix(what: str, array: AnyArray) -> Matrix:
    """Checks a matrix from the host: two axes, finite."""
    if array.dtype != np.float64 or array.ndim != 2:
        raise ContractError(f"{what}: the host sent {array.dtype} of shape {array.shape}; it must be a float64 matrix")
    if not finite(array):
        raise NonFiniteError(f"{what}: {_first_non_finite(array)}")
    return array


def labels(what: str, array: AnyArray, length: int, states: int) -> Labels:
    """Checks labels from the host."""
    if array.dtype != np.int64 or array.ndim != 1:
        raise ContractError(f"{what}: the host sent {array.dtype} of shape {array.shape}; labels are an int64 vector")
    if len(array) != length:
        raise ShapeError(f"{what}: {len(array)} labels for {length} snapshots")
    wrong = np.flatnonzero((array < 0) | (array >= states))
    if wrong.size:
        raise LabelError(f"{what}: label {array[wrong[0]]} of snapshot {wrong[0]} is not in 0 … {states - 1}")
    return array


def trajectories(what: str, rows: AnyArray, sent: Sequence[int], lag: int) -> list[int] | None:
    """Returns the lengths of several trajectories that the host sent, None where there is one.

    Raises:
        ShapeError: they do not add up to the rows.
        TooShortError: there is no pair at the lag.
    """
    lengths = list(sent) or None
    parts = split(what, rows, lengths)
    if max(map(len, parts)) <= lag:
        several = f" in {len(parts)} trajectories" if lengths else ""
        least = "a trajectory of at least" if lengths else "at least"
        raise TooShortError(f"{what}: {len(rows)} snapshots{several} have no pair at a lag of {lag}; give {least} {lag + 1}")
    return lengths


def returned(what: str, value: Any, dtype: npt.DTypeLike, shape: tuple[int | None, ...], meaning: str) -> AnyArray:
    """Returns what an author's code returned as an array of that type and shape, None being any length.

    Raises:
        ContractError: it has another shape, a value that is not finite, or cannot be converted.
    """
    return _converted(f"{what} returned", "return", value, np.dtype(dtype), shape, meaning)


def attribute(what: str, value: Any, dtype: npt.DTypeLike, shape: tuple[int | None, ...], meaning: str) -> AnyArray:
    """Returns an attribute that an author has set as an array of that type and shape, as returned does."""
    return _converted(f"{what} is", "be", value, np.dtype(dtype), shape, meaning)


def plain(what: str, value: Any) -> AnyArray:
    """Returns what becomes an array as one; what ends with a verb: "open returned"."""
    try:
        return _arrays.plain(value)
    except Exception as error:
        raise ContractError(f"{what} a {type(value).__name__}, which does not become an array: {error}") from error


def _converted(what: str, must: str, value: Any, dtype: np.dtype[Any], shape: tuple[int | None, ...], meaning: str) -> AnyArray:
    array = plain(what, value)
    # Whole numbers pass for real ones, and real ones for complex ones; never the other way.
    if array.dtype.kind not in {"i": "iu", "f": "biuf", "c": "biufc"}[dtype.kind]:
        raise ContractError(f"{what} {array.dtype}; it must {must} {meaning}, which become {dtype}")
    wanted = tuple("n" if n is None else n for n in shape)
    if array.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, array.shape)):
        raise ContractError(
            f"{what} an array of shape {array.shape}; it must {must} {meaning}, "
            f"an array of shape ({', '.join(map(str, wanted))}{',' if len(wanted) == 1 else ''})"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(dtype, copy=False)
    if not finite(converted):
        raise ContractError(f"{what} an array that is not finite as {dtype}: {_first_non_finite(converted)}")
    return converted


def number(what: str, value: Any) -> float:
    """Returns a finite number that an author's code returned."""
    array = returned(what, value, np.float64, np.shape(value) if np.size(value) == 1 else (), "a number")
    return float(array.reshape(()))


def text(value: object) -> str:
    """Returns a text as it can be sent: without lone surrogates."""
    return str(value).encode("utf-8", "backslashreplace").decode()


# The limits of a report, which are those of the benchmark.
MAX_WARNINGS = 1000
MAX_SENTENCE = 8 << 10  # bytes
MAX_HISTORY = 1_000_000
MAX_SECONDS = 1e9


def report(r: wire.Report) -> None:
    """Raises ContractError, naming the first rule of the benchmark that a report breaks."""
    if (n := len(r.untrained.encode())) > MAX_SENTENCE:
        raise ContractError(f"why the fit is untrained has {n} bytes; the most is {MAX_SENTENCE}")
    warnings(r.warnings)
    if (n := len(r.history)) > MAX_HISTORY:
        raise ContractError(f"the history has {n} epochs; the most is {MAX_HISTORY}")
    last = 0
    for i, epoch in enumerate(r.history):
        if epoch.number <= last:
            raise ContractError(
                f"entry {i + 1} of the history is epoch {epoch.number}, after epoch {last}; epochs are counted from 1 and ascend"
            )
        last = epoch.number
    if not 0 <= r.compile_seconds <= MAX_SECONDS:
        raise ContractError(f"compile_seconds is {r.compile_seconds}; it must be a number in 0 … {MAX_SECONDS:.0f}")


def warnings(sentences: Sequence[str]) -> None:
    """Raises ContractError where there are too many warnings, or one is too long."""
    if (n := len(sentences)) > MAX_WARNINGS:
        raise ContractError(f"there are {n} warnings; the most is {MAX_WARNINGS}")
    for i, sentence in enumerate(sentences):
        if (n := len(sentence.encode())) > MAX_SENTENCE:
            raise ContractError(f"warning {i + 1} has {n} bytes; the most is {MAX_SENTENCE}")


def spectrum(what: str, value: Any) -> tuple[AnyArray, AnyArray]:
    """Returns eigenvalues that an author's code returned in the order of the benchmark, and where each was.

    The order is of descending modulus, conjugate pairs side by side, the one with positive imaginary part first. Values that
    are conjugate to rounding become so exactly, so that their moduli are equal.
    """
    values = returned(what, value, np.complex128, (None,), "a vector of eigenvalues").copy()
    unpaired = [int(k) for k in np.argsort(-np.abs(values), kind="stable") if values[k].imag]
    while unpaired:
        k = unpaired.pop(0)
        for m in unpaired:
            if abs(values[m] - values[k].conjugate()) <= 1e-9 * abs(values[k]):
                values[m] = values[k].conjugate()
                unpaired.remove(m)
                break
    order = np.lexsort((-values.imag, -np.abs(values.imag), -values.real, -np.abs(values)))
    return values[order], order
