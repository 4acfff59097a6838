"""The six kinds of things that a plugin can serve.

Each kind is a class to derive from. Its ``fit`` returns what was fitted: an object with the methods listed for the kind
(and any of its optional methods), or, where there is one required method, a function in its place. A class may also have
those methods itself and let ``fit`` return nothing: every fit works on a copy of its own, made by :func:`copy.deepcopy`.

Fits of one process take turns, so that they may seed and use a global generator. Methods of one fitted thing are called one at
a time, on the thread of its fit. Different fitted things work at the same time.
"""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import numpy.typing as npt

from koopbench_plugin import options as _options
from koopbench_plugin.options import Option
from koopbench_plugin.problem import Problem
from koopbench_plugin.training import Matrix, OperatorTraining, Snapshots, Training
from koopbench_plugin.wire import plugin_pb2 as wire

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
MAX_LINE = _options.MAX_LINE  # bytes of a summary
MAX_DOC = 64 << 10  # bytes
MAX_OPTIONS = 256
EXPOSURES = ("", "labels", "oracle")

Exposure = Literal["", "labels", "oracle"]


class Thing(ABC):
    """A thing that a plugin can serve. Derive from one of the six kinds instead."""

    kind: ClassVar[wire.Kind]

    name: str = ""
    """How it is called on the command line: 1 to 40 lower-case letters, digits and hyphens, a letter first."""
    summary: str = ""
    """One line without a full stop."""
    doc: str = ""
    """A paragraph or more: what it does and where it comes from. The class's docstring, where this is empty."""
    options: Sequence[Option] = ()
    exposure: Exposure = ""
    """What it sees beyond unlabelled snapshots: "labels", or "oracle" for the encoder of the oracle that judges.

    Exposed methods are never ranked with the others.
    """
    row_by_row: bool = False
    """Whether to call what was fitted with one snapshot, or one row of features, at a time.

    The result for a row must not depend on the others in the call, but for 1e-4 of its norm: BLAS, PyTorch and JAX sum in an
    order that depends on the number of rows. Code whose rounding is larger needs this. A call can then also be cancelled between
    two rows. A loss and a task have no use for it.
    """

    def prepare(self) -> None:  # noqa: B027 # an author may leave it out
        """Does what takes long and is needed once a process: imports of large libraries, compilation.

        It is called on the object that is served, before the first fit, load, evaluation or opening in a process. The fit that
        waits for it counts its time as that of compiling. What it sets in the object is copied for every fit with the rest of it.
        """

    def resolve(self, **given: object) -> Mapping[str, Any]:
        """Returns a value for every declared option, the given one or the default. It is for trying a fit by hand.

        Raises:
            OptionError: an option does not exist or does not take its value.
        """
        return _options.resolve(self.options, given)


class Model(Protocol):
    """What the fit of a method gives.

    It may also have ``forecast(snapshots, steps)``, which looks steps lags ahead at once, by a power of its operator: one step is
    what ``predict`` gives. The protocol "powers" of the benchmark needs it.

    It may also have ``eigenvalues()``, the ``(r,)`` eigenvalues of the one-lag operator (or None where it has none after
    all), and ``left_eigenfunctions(snapshots)``, the ``(n, r)`` values of the left eigenfunctions at each snapshot, columns in
    the order of the eigenvalues; and beside them ``right_eigenfunctions(snapshots)``, those of the evolution operator itself,
    which the benchmark holds against true ones. The package puts all in the order of the benchmark, descending modulus.

    And it may have ``save()``, which returns arrays by name, or a :class:`koopbench_plugin.Saved` with facts beside them. Its
    method then has ``load(saved)``, which takes a Saved and gives the same model, to the bit, as ``fit`` gives one: on a copy of
    the method, in another process. A method without ``load`` saves nothing.
    """

    def predict(self, snapshots: Snapshots, /) -> npt.ArrayLike:
        """Returns, for each of n snapshots, the one expected one lag later, in the same shape.

        The prediction for a snapshot does not depend on the others.
        """


class Method(Thing):
    """A method learns to turn snapshots into the next snapshots."""

    kind = wire.METHOD

    @abstractmethod
    def fit(self, training: Training) -> Model | Callable[[Snapshots], npt.ArrayLike] | None:
        """Trains. It returns a model, the model's predict, or nothing where this class has predict."""


class Embedding(Protocol):
    """What the fit of an embedder gives.

    It may also have ``decode(features)``, which returns a snapshot for each row of an ``(n, d)`` matrix.
    """

    def embed(self, snapshots: Snapshots, /) -> npt.ArrayLike:
        """Returns the ``(n, d)`` features of n snapshots. A row depends on its snapshot alone."""


class Embedder(Thing):
    """An embedder learns, or simply is, a map from snapshots to features."""

    kind = wire.EMBEDDER

    @abstractmethod
    def fit(self, training: Training) -> Embedding | Callable[[Snapshots], npt.ArrayLike] | None:
        """Trains. It returns an embedding, the embedding's embed, or nothing where this class has embed."""


class Operator(Protocol):
    """What the fit of an evolution operator gives.

    Where the fit was given an observable it also has ``predict_observable(features, steps)``, which returns ``(n, p)``. It
    may also have ``eigenvalues()`` (or None), ``left_eigenfunctions(features)`` and ``right_eigenfunctions(features)``, the
    ``(n, r)`` values at the rows of features, columns in the order of the eigenvalues. An eigenfunction is features @ w for a
    coefficient vector w; right vectors have norm 1, left vectors l are scaled so that sum(l * w) is 1, without conjugation.
    """

    @property
    def rank(self) -> int:
        """The rank of the operator, at most d."""

    def predict(self, features: Matrix, steps: int, /) -> npt.ArrayLike:
        """Returns the ``(n, d)`` features expected steps lags after each row."""


class EvolutionOperator(Thing):
    """An evolution operator learns how features evolve."""

    kind = wire.OPERATOR

    @abstractmethod
    def fit(self, training: OperatorTraining) -> Operator | None:
        """Learns from a trajectory of features. It returns an operator, or nothing where this class is one."""


class LossValue(NamedTuple):
    """A loss and its gradients."""

    value: float
    grad_x: npt.ArrayLike
    """(n, d) derivatives of the value by each entry of x."""
    grad_y: npt.ArrayLike
    warnings: Sequence[str] = ()
    """Sentences about views on which the loss is degenerate, of deficient rank for instance."""


class Loss(Thing):
    """A loss scores two views of a batch of lagged pairs. Less is better."""

    kind = wire.LOSS

    @abstractmethod
    def evaluate(
        self, x: Matrix, y: Matrix, /, *_: Any, **options: Any
    ) -> LossValue | tuple[float, npt.ArrayLike, npt.ArrayLike]:
        """Returns the loss of two (n, d) views and its gradients: ``evaluate(self, x, y, eps: float)`` with an option eps.

        Row i of x has the features of a snapshot, row i of y those of its successor. The value of every declared option
        comes as keyword argument. Degenerate views give finite values and a warning.

        Raises:
            ShapeError: the views have too few rows.
        """


class Judge(Protocol):
    """What the fit of an oracle gives.

    It may also have ``encode(snapshots)``: the ``(n, d)`` features on which it bases its labels.
    """

    def classify(self, snapshots: Snapshots, /) -> npt.ArrayLike:
        """Returns a label in 0 … states-1 for each of n snapshots. A label depends on its snapshot alone."""


class Oracle(Thing):
    """An oracle learns to label snapshots. A run is judged by one."""

    kind = wire.ORACLE

    @abstractmethod
    def fit(self, training: Training) -> Judge | Callable[[Snapshots], npt.ArrayLike] | None:
        """Trains on labelled snapshots. It returns a judge, the judge's classify, or nothing where this class has it."""


class Task(Thing):
    """A task is what methods are compared on: data, and what counts as a good prediction.

    It has no exposure.
    """

    kind = wire.TASK

    @abstractmethod
    def open(self, options: Mapping[str, Any], /) -> Problem:
        """Reads or simulates the data, with a value for every declared option.

        Equal options give equal bits, in another process too. An option ``data`` says where data lie on this machine, which is
        not part of what a task is. Options ``lag``, ``steps`` and ``split`` are those of the problem, if a task has them.

        Raises:
            OptionError: the options do not fit together or the data.
            TooShortError: there are too few data.
        """


def describe(thing: Thing) -> wire.Thing:
    """Returns the description of a thing.

    Raises:
        ValueError: naming the first rule that it breaks.
    """
    where = type(thing).__name__
    if not isinstance(thing, (Method, Embedder, EvolutionOperator, Loss, Oracle, Task)):
        hint = f"; serve an object of the class, {thing.__name__}()" if isinstance(thing, type) else ""
        raise ValueError(f"{thing!r} is no Method, Embedder, EvolutionOperator, Loss, Oracle or Task{hint}")
    if not isinstance(thing.name, str) or not NAME.fullmatch(thing.name):
        raise ValueError(
            f"the name {thing.name!r} of {where} must be 1 to 40 lower-case letters, digits and hyphens, a letter first"
        )
    if not thing.summary or "\n" in thing.summary:
        raise ValueError(f"{thing.name!r} needs a summary of one line")
    doc = thing.doc or inspect.cleandoc(type(thing).__doc__ or "")
    for what, text, most in (("summary", thing.summary, MAX_LINE), ("doc", doc, MAX_DOC)):
        if (n := len(text.encode())) > most:
            raise ValueError(f"the {what} of {thing.name!r} has {n} bytes; the most is {most}")
    if (n := len(thing.options)) > MAX_OPTIONS:
        raise ValueError(f"{thing.name!r} has {n} options; the most is {MAX_OPTIONS}")
    if thing.exposure not in EXPOSURES:
        raise ValueError(f'{thing.name!r} declares the exposure {thing.exposure!r}; there is "labels" and "oracle"')
    if thing.row_by_row and isinstance(thing, Loss):
        raise ValueError(f"{thing.name!r} declares row_by_row, and is a loss, which sees the batch as a whole")
    if isinstance(thing, Task) and (thing.row_by_row or thing.exposure):
        raise ValueError(f"{thing.name!r} declares row_by_row or an exposure, and is a task, which has neither")
    seen = set()
    for option in thing.options:
        try:
            _options.validate(option)
        except ValueError as error:
            raise ValueError(f"{thing.name!r}: {error}") from None
        if option.name in seen:
            raise ValueError(f"{thing.name!r} declares the option {option.name!r} twice")
        seen.add(option.name)
    return wire.Thing(
        kind=thing.kind,
        name=thing.name,
        summary=thing.summary,
        doc=doc,
        options=[_options.to_wire(o) for o in thing.options],
        exposure=thing.exposure,
        loads=loads(thing),
    )


def loads(thing: Thing) -> bool:
    """Whether the models of a thing can be saved and loaded."""
    return isinstance(thing, Method) and callable(getattr(thing, "load", None))
