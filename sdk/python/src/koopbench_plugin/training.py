"""What a fit may see, and how it reports."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from koopbench_plugin import _arrays
from koopbench_plugin._counts import count
from koopbench_plugin.errors import ContractError, ShapeError, UnavailableError

Snapshots = npt.NDArray[np.float32]
"""Snapshots, first axis time: ``(time, axes of one snapshot…)``."""
Matrix = npt.NDArray[np.float64]
"""Features or an observable, one row a snapshot."""
Labels = npt.NDArray[np.int64]
"""Labels, one a snapshot, in 0 … states-1."""


@dataclass(frozen=True)
class Epoch:
    """One pass over the training data.

    Losses are unweighted means over batches, the training value taken before each update.
    """

    number: int
    """Counted from 1."""
    train: float
    validation: float = math.nan
    """Not a number where there is none."""


@dataclass
class Report:
    """How a fit went. The fields are the author's to set, but for the history, which :meth:`Training.epoch` writes."""

    untrained: str = ""
    """A sentence that says why the fit is to be counted as not having learned anything; empty where it did."""
    warnings: list[str] = field(default_factory=list)
    """Sentences for the user."""
    history: list[Epoch] = field(default_factory=list)
    rank: int = 0
    """The rank of the evolution operator, 0 where there is none."""
    parameters: int = 0
    """The number of trained parameters."""
    compile_seconds: float = 0.0
    """The part of the fit that went into compiling, in seconds. The time of :meth:`Thing.prepare` is added to it."""


class Host(Protocol):
    """What a fit asks of the benchmark."""

    @property
    def cancelled(self) -> bool: ...

    def check(self) -> None: ...

    def phase(self, name: str, total: int) -> None: ...

    def advance(self, done: int) -> None: ...

    def epoch(self, epoch: Epoch) -> None: ...

    def embed(self, snapshots: Snapshots) -> Matrix: ...

    @property
    def checkpoint_due(self) -> bool: ...

    def checkpoint(self, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None: ...


class NoHost:
    """A host that ignores everything it is told, for fits outside the benchmark."""

    cancelled = False
    checkpoint_due = False

    def check(self) -> None:
        """Returns."""

    def phase(self, name: str, total: int) -> None:
        """Ignores it."""

    def advance(self, done: int) -> None:
        """Ignores it."""

    def epoch(self, epoch: Epoch) -> None:
        """Ignores it."""

    def embed(self, snapshots: Snapshots) -> Matrix:
        """Raises UnavailableError."""
        raise UnavailableError("there is no oracle's encoder outside the benchmark")

    def checkpoint(self, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Ignores it."""


@dataclass(kw_only=True)
class Fitting:
    """What :class:`Training` and :class:`OperatorTraining` have in common."""

    lag: int = 1
    """How many snapshots one step of prediction spans, at least 1."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """A value for every option that is declared. See :meth:`koopbench_plugin.Thing.resolve`."""
    report: Report = field(default_factory=Report)
    host: Host = field(default_factory=NoHost, repr=False)
    """For the package's own use."""
    _restored: int = field(default=0, init=False, repr=False)  # epochs of the history that another process reported

    @property
    def cancelled(self) -> bool:
        """Whether the host has cancelled the call, or its time is over."""
        return self.host.cancelled

    def check(self) -> None:
        """Raises :class:`koopbench_plugin.Cancelled` if the call is cancelled. Call it once a batch."""
        self.host.check()

    def phase(self, name: str, total: int) -> None:
        """Begins a part of the work, named for the user ("training"), that has total units. It checks like check."""
        self.host.phase(name, total)

    def advance(self, done: int) -> None:
        """Says that done units of the phase are complete. It checks like check."""
        self.host.advance(done)

    def epoch(self, number: int, train: float, validation: float = math.nan) -> None:
        """Says that an epoch, counted from 1, is complete. It checks like check."""
        epoch = Epoch(count("number of an epoch", number), float(train), float(validation))
        if self._restored:  # the fit may begin before where it was
            before = self.report.history[: self._restored]
            self.report.history[: self._restored] = [e for e in before if e.number < epoch.number]
            self._restored = 0
        self.report.history.append(epoch)
        self.host.epoch(epoch)

    def warn(self, sentence: str) -> None:
        """Adds a warning for the user to the report."""
        self.report.warnings.append(sentence)


@dataclass(kw_only=True)
class Training(Fitting):
    """What the fit of a method, an embedder or an oracle may see.

    Arrays are read-only. A fit and what it gives owe nothing to other fits.
    """

    train: Snapshots
    """(n, …) snapshots. Where there are several trajectories, these are all of them, one after the other: rows that stand side by
    side may be of two trajectories, so take pairs from :meth:`pairs`."""
    validation: Snapshots
    """(m, …) snapshots, in the same way; see :meth:`validation_pairs`."""
    train_lengths: Sequence[int] | None = None
    """The number of snapshots of each trajectory in train; None for one trajectory."""
    validation_lengths: Sequence[int] | None = None
    """The same of validation."""
    states: int = 1
    """The number of states that the task moves through: the usual choice for a rank or a number of features."""
    seed: int = 0
    """Where all randomness comes from, by :meth:`rng`."""
    name: str = ""
    """The declared name of what is fitted; it keys the random streams."""
    train_labels: Labels | None = None
    """(n,) labels, for oracles and for what has the exposure "labels"."""
    validation_labels: Labels | None = None
    """(m,) labels."""
    oracle_dim: int = 0
    """The number of features of the encoder of the oracle that judges, for what has the exposure "oracle"."""
    checkpoints: Mapping[str, Mapping[str, npt.NDArray[Any]]] = field(default_factory=dict)
    """What an identical fit, whose process ended before it did, last gave to :meth:`store_checkpoint`, by name.

    A fit that goes on from there must give what it gives undisturbed, to the bit: parameters, the state of the optimiser and the
    random numbers drawn so far are what counts. The history comes back by itself as one is read: the report has the epochs
    before it too.
    """

    @classmethod
    def load(cls, path: str | PathLike[str], **more: Any) -> Training:
        """Returns the training data of a file that ``bench data --out FILE.npz`` wrote, for a fit in a plain session of Python.

        Args:
            path: the file.
            more: further fields: ``options=method.resolve(alpha=0.1)``, ``seed=1``, ``name=method.name`` for the random streams
                of a run.

        Raises:
            ContractError: the file holds something else.
            ShapeError: the lengths of trajectories do not add up to the snapshots.
        """
        with np.load(path, allow_pickle=False) as file:
            missing = {"train", "validation", "lag", "states"} - set(file.files)
            if missing:
                raise ContractError(f"{path}: it has no array {min(missing)!r}; bench data --out FILE.npz writes such files")
            arrays = {name: file[name] for name in file.files}
        for array in arrays.values():
            array.flags.writeable = False
        numbers = {name: int(arrays.pop(name)) for name in ("lag", "states")}
        lengths = {n: [int(k) for k in arrays.pop(n)] for n in ("train_lengths", "validation_lengths") if n in arrays}
        training = cls(**{**arrays, **numbers, **lengths, **more})
        _ = training.trajectories, training.validation_trajectories  # whose lengths must add up
        return training

    @property
    def checkpoint_due(self) -> bool:
        """Whether it is time for a checkpoint. Ask it once a batch: it costs next to nothing."""
        return self.host.checkpoint_due

    def store_checkpoint(self, arrays: Mapping[str, npt.ArrayLike], name: str = "training") -> None:
        """Has the host keep arrays for a fit that has to continue, in place of those of the same name. It checks like check.

        Args:
            arrays: float32, float64, int64 or uint8, of any shape, by names of letters, digits, "_", "-" and "." joined by
                slashes. A ``state_dict()`` of PyTorch is such arrays; bytes are ``np.frombuffer(data, np.uint8)``.
            name: lower-case letters, digits and hyphens, at most 40.

        Raises:
            ContractError: a name or a type is another one.
        """
        if not re.fullmatch("[a-z0-9-]{1,40}", name):
            raise ContractError(f"the checkpoint {name!r}: a name is 1 to 40 lower-case letters, digits and hyphens")
        if HISTORY in arrays:
            raise ContractError(f"checkpoint {name!r}: the array {HISTORY!r} is the package's own; give it another name")
        history = {HISTORY: [(float(e.number), e.train, e.validation) for e in self.report.history]}
        stored = {**arrays, **(history if self.report.history else {})}
        self.host.checkpoint(name, checked_state(f"checkpoint {name!r}", stored))

    def restore(self, kept: Mapping[str, Mapping[str, npt.NDArray[Any]]]) -> None:
        """Puts what an identical fit stored in checkpoints. It is the package's own."""
        self.checkpoints = _Checkpoints(self, kept)

    @property
    def trajectories(self) -> list[Snapshots]:
        """The trajectories in train, as views of it. There is at least one."""
        return split("train", self.train, self.train_lengths)

    @property
    def validation_trajectories(self) -> list[Snapshots]:
        """The trajectories in validation, as views of it."""
        return split("validation", self.validation, self.validation_lengths)

    def pairs(self) -> tuple[Snapshots, Snapshots]:
        """Returns the training snapshots that have a successor, and their successors lag snapshots later.

        No pair crosses the end of a trajectory. The arrays are views where there is one trajectory, and copies where there are
        several.
        """
        return _pairs(self.trajectories, self.lag)

    def validation_pairs(self) -> tuple[Snapshots, Snapshots]:
        """Returns the same of the validation snapshots."""
        return _pairs(self.validation_trajectories, self.lag)

    def rng(self, purpose: str) -> np.random.Generator:
        """Returns the random stream for one purpose ("init", "shuffle") of this fit.

        Streams of different seeds, names or purposes are independent. The generator is PCG64, seeded with the SHA-256
        of seed, declared name and purpose.
        """
        words = struct.pack("<q", self.seed)
        for part in (self.name.encode(), purpose.encode()):
            words += struct.pack("<Q", len(part)) + part
        return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(words).digest(), "little")))

    def oracle_embedding(self, snapshots: npt.ArrayLike) -> Matrix:
        """Returns the (k, oracle_dim) features of k snapshots by the encoder of the oracle that judges.

        What was fitted may keep this method and call it when it is applied.

        Raises:
            UnavailableError: the thing has not the exposure "oracle", or the oracle has no encoder.
        """
        return _embedding(self.name, self.oracle_dim, self.host, snapshots)


Number = TypeVar("Number", bound=np.generic)


def split(what: str, rows: npt.NDArray[Number], lengths: Sequence[int] | None) -> list[npt.NDArray[Number]]:
    """Returns the trajectories that follow one another in rows, as views. It is the package's own.

    Raises:
        ShapeError: the lengths do not add up to the rows, or one is negative.
    """
    if lengths is None:
        return [rows]
    if sum(lengths) != len(rows) or any(n < 0 for n in lengths):
        raise ShapeError(
            f"{what}: the lengths of {len(lengths)} trajectories add up to {sum(lengths)}, and there are {len(rows)} rows; "
            "give the length of each, at least 0"
        )
    ends = list(itertools.accumulate(lengths))
    return [rows[end - n : end] for n, end in zip(lengths, ends)]


def _pairs(trajectories: Sequence[npt.NDArray[Number]], lag: int) -> tuple[npt.NDArray[Number], npt.NDArray[Number]]:
    sides = [x[:-lag] for x in trajectories], [x[lag:] for x in trajectories]
    if len(trajectories) == 1:
        return sides[0][0], sides[1][0]
    joined = [np.concatenate(side) for side in sides]
    for array in joined:
        array.flags.writeable = False
    return joined[0], joined[1]


def _embedding(name: str, dim: int, host: Host, snapshots: npt.ArrayLike) -> Matrix:
    if not dim:
        raise UnavailableError(f'{name}: there is no oracle\'s encoder here; declare exposure = "oracle" to be handed it')
    return host.embed(np.asarray(snapshots, dtype=np.float32))


HISTORY = "koopbench.history"
"""The array of a checkpoint with a row for each epoch of the report: number, loss, validation loss."""


class _Checkpoints(Mapping[str, Mapping[str, npt.NDArray[Any]]]):
    """Checkpoints that bring the history of their fit along as they are read."""

    def __init__(self, training: Training, kept: Mapping[str, Mapping[str, npt.NDArray[Any]]]) -> None:
        self._training = training
        self._kept = {n: {k: a for k, a in arrays.items() if k != HISTORY} for n, arrays in kept.items()}
        self._history = {n: _epochs(n, arrays[HISTORY]) for n, arrays in kept.items() if HISTORY in arrays}

    def __getitem__(self, name: str) -> Mapping[str, npt.NDArray[Any]]:
        kept, training = self._kept[name], self._training
        history = self._history.get(name, [])
        if training._restored == len(training.report.history) < len(history):  # nothing of its own is there yet
            training.report.history[:] = history
            training._restored = len(history)
        return kept

    def __contains__(self, name: object) -> bool:
        return name in self._kept

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def _epochs(name: str, rows: npt.NDArray[Any]) -> list[Epoch]:
    if rows.ndim != 2 or rows.shape[1] != 3 or not np.isfinite(rows[:, 0]).all():
        raise ContractError(f"checkpoint {name!r}: the history is of shape {rows.shape}; it has three numbers for each epoch")
    return [Epoch(int(number), float(train), float(validation)) for number, train, validation in rows]


@dataclass(kw_only=True)
class Saved:
    """A model as it is kept in a file. ``save()`` of a model may return one, and ``load(saved)`` of its method gets it."""

    arrays: Mapping[str, npt.ArrayLike] = field(default_factory=dict)
    """Arrays by name, as in :meth:`Training.store_checkpoint`. In load they are read-only arrays of numpy."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is no array, as JSON holds it."""
    name: str = ""
    """The declared name of the method, in load."""
    oracle_dim: int = 0
    """As that of :class:`Training`, in load."""
    host: Host = field(default_factory=NoHost, repr=False)
    """For the package's own use."""

    def oracle_embedding(self, snapshots: npt.ArrayLike) -> Matrix:
        """See :meth:`Training.oracle_embedding`."""
        return _embedding(self.name, self.oracle_dim, self.host, snapshots)

    def sent(self, what: str, shape: tuple[int, ...]) -> tuple[bytes, dict[str, npt.NDArray[Any]]]:
        """Returns it as it is sent, with the shape of a snapshot. It is the package's own.

        Raises:
            ContractError: the facts are not JSON, or an array cannot be stored.
        """
        try:
            facts = json.dumps({"snapshot": shape, "facts": dict(self.facts)}, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise ContractError(
                f"{what}: the facts {self.facts!r} do not become JSON: {error}; keep numbers that are not finite in arrays"
            ) from error
        return facts, checked_state(what, self.arrays)

    @staticmethod
    def received(what: str, facts: bytes) -> tuple[dict[str, Any], tuple[int, ...]]:
        """Returns the facts and the shape of a snapshot from what was sent. It is the package's own.

        Raises:
            ContractError: this package did not write it.
        """
        try:
            read = json.loads(facts)
            own, shape = read["facts"], read["snapshot"]
        except (ValueError, KeyError, TypeError):
            own = shape = None
        if not isinstance(own, dict) or not isinstance(shape, list) or not all(isinstance(n, int) and n > 0 for n in shape):
            raise ContractError(f"{what}: the facts of the model are not those that koopbench-plugin writes; save it anew")
        return own, tuple(shape)


def checked_state(what: str, arrays: Mapping[str, npt.ArrayLike]) -> dict[str, npt.NDArray[Any]]:
    """Returns the arrays of a checkpoint or a model as they are sent.

    Raises:
        ContractError: a name or a type is not one that can be stored.
    """
    checked = {n: _arrays.plain(a) for n, a in arrays.items()}
    for n, a in checked.items():
        if not re.fullmatch(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", n):
            raise ContractError(f"{what}: an array is called {n!r}; names are words of letters, digits, _, - and . joined by /")
        if a.dtype.newbyteorder("=") not in STORED:
            raise ContractError(f"{what}: the array {n!r} is of {a.dtype}; it must be float32, float64, int64 or uint8")
    size = sum(a.nbytes for a in checked.values())
    if len(checked) > MAX_STORED_ARRAYS or size > MAX_STORED:
        raise ContractError(
            f"{what}: {len(checked)} arrays of {size} bytes; the most is {MAX_STORED_ARRAYS} of {MAX_STORED} bytes together"
        )
    return checked


MAX_STORED = 1 << 30
MAX_STORED_ARRAYS = 4096
STORED = tuple(np.dtype(t) for t in (np.float32, np.float64, np.int64, np.uint8))


@dataclass(kw_only=True)
class OperatorTraining(Fitting):
    """What the fit of an evolution operator may see. Arrays are read-only."""

    features: Matrix
    """(N, d) features, one row a snapshot, in the order of time within a trajectory. Rows that stand side by side may be of two
    trajectories: take pairs from :meth:`pairs` or :meth:`pair_starts`."""
    observable: Matrix | None = None
    """(N, p) matrix of what to predict beside the features, at the same times."""
    lengths: Sequence[int] | None = None
    """The number of rows of each trajectory, which follow one another; None for one trajectory."""
    precision: float = 2.0**-52
    """The unit roundoff of the numbers in features: 2^-23 where they were computed in float32."""

    @property
    def trajectories(self) -> list[Matrix]:
        """The trajectories in features, as views of it. There is at least one."""
        return split("features", self.features, self.lengths)

    def pairs(self) -> tuple[Matrix, Matrix]:
        """Returns the features that have a successor, and those lag rows later in the same trajectory."""
        return _pairs(self.trajectories, self.lag)

    def pair_starts(self) -> Labels:
        """Returns the rows i such that the rows i and i + lag are in one trajectory, in ascending order.

        The observable that belongs to the pairs is ``training.observable[training.pair_starts() + training.lag]``.
        """
        return np.concatenate([i[: -self.lag] for i in split("features", np.arange(len(self.features)), self.lengths)])
