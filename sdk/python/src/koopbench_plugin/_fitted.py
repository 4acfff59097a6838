"""What fits give, made ready for the host: results are checked, and abilities found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from koopbench_plugin import _checks
from koopbench_plugin._arrays import AnyArray
from koopbench_plugin._call import Thread
from koopbench_plugin.errors import ContractError, OptionError, ShapeError, UnavailableError
from koopbench_plugin.things import Thing, loads
from koopbench_plugin.training import OperatorTraining, Saved, Training
from koopbench_plugin.wire import plugin_pb2 as wire

Operation = Callable[[AnyArray, int], tuple[str, AnyArray]]
"""Returns the name and the array of the result for an array and a number of steps."""


class Fitted:
    """Something fitted. What describes and applies it runs on its thread. It keeps no training data but one snapshot."""

    required: ClassVar[str]
    """The method that it must have."""
    function: ClassVar[bool] = True
    """Whether a function may stand for it."""
    spectral: ClassVar[tuple[str, ...]] = ()
    """The methods of the ability "spectrum"."""

    def __init__(self, thing: Thing, result: Any, training: Any, thread: Thread) -> None:
        self.name = thing.name
        self.row_by_row = thing.row_by_row
        self.thread = thread
        self.thing = self._thing(thing, result)
        self.operations: dict[int, Operation] = {}
        self.saves = False

    def _thing(self, thing: Thing, result: Any) -> Any:
        fitted = thing if result is None else result
        if callable(getattr(fitted, self.required, None)):
            return fitted
        if self.function and callable(fitted):
            return SimpleNamespace(**{self.required: fitted})
        if result is None:
            raise ContractError(
                f"{self.name}: fit returned nothing, and {type(thing).__name__} has no method {self.required}; return an "
                f"object that has it, or add it to the class"
            )
        raise ContractError(
            f"{self.name}: fit returned a {type(result).__name__}, which has no method {self.required}; return an object "
            "that has it"
        )

    def has(self, method: str) -> bool:
        """Whether it has a method."""
        return callable(getattr(self.thing, method, None))

    def what(self, method: str) -> str:
        """Names a method in messages."""
        return f"{self.name}: {method}"

    def describe(self) -> tuple[wire.Fitted, list[tuple[str, AnyArray]]]:
        """Returns what the host must know, and the arrays that go with it, and settles what can be applied."""
        return wire.Fitted(), []

    def describe_spectrum(self, reply: wire.Fitted) -> list[tuple[str, AnyArray]]:
        """Adds the ability "spectrum" where it is there, and returns the eigenvalues."""
        if not self.has("eigenvalues"):
            return []
        values = self.thing.eigenvalues()
        if values is None:
            return []
        missing = [m for m in self.spectral if not self.has(m)]
        if missing:
            raise ContractError(f"{self.name} has eigenvalues but no {' and no '.join(missing)}; a spectrum needs both")
        eigenvalues, order = _checks.spectrum(self.what("eigenvalues"), values)
        reply.abilities.append("spectrum")
        self.operations[wire.LEFT_EIGENFUNCTIONS] = self._eigenfunctions("left_eigenfunctions", order)
        if self.has("right_eigenfunctions"):
            if "right_eigenfunctions" not in self.spectral:  # a model need not have it
                reply.abilities.append("right-eigenfunctions")
            self.operations[wire.RIGHT_EIGENFUNCTIONS] = self._eigenfunctions("right_eigenfunctions", order)
        return [("eigenvalues", eigenvalues)]

    def _eigenfunctions(self, method: str, order: AnyArray) -> Operation:
        values = self.operation(method, "values", np.complex128, (len(order),), "a value for each row and eigenvalue")

        def apply(x: AnyArray, steps: int) -> tuple[str, AnyArray]:
            name, columns = values(x, steps)
            return name, columns[:, order]

        return apply

    def operation(
        self, method: str, result: str, dtype: type, row: tuple[int, ...], meaning: str, *, steps: bool = False
    ) -> Operation:
        """Returns the operation that calls a method and checks the result, which has a row of that shape a row."""

        def call(what: str, x: AnyArray, count: int) -> AnyArray:
            value = getattr(self.thing, method)(x, count) if steps else getattr(self.thing, method)(x)
            return _checks.returned(what, value, dtype, (len(x), *row), meaning)

        def apply(x: AnyArray, count: int) -> tuple[str, AnyArray]:
            what = self.what(method)
            if len(x) and not self.row_by_row:
                return result, call(what, x, count)
            rows: AnyArray = np.empty((len(x), *row), dtype)
            for k in range(len(x)):
                self.thread.check()
                rows[k] = call(f"{what} of row {k} alone", x[k : k + 1], count)[0]
            return result, rows

        return apply

    def input_of(self, operation: int) -> str:
        """Returns the name of the array that an operation is applied to."""
        return "snapshots"

    def check_input(self, operation: int, x: AnyArray) -> AnyArray:
        """Checks the array that an operation is applied to."""
        raise NotImplementedError

    def apply(self, operation: int, x: AnyArray, steps: int) -> tuple[str, AnyArray]:
        """Applies an operation."""
        return self.operations[operation](x, steps)

    def check_operation(self, operation: int, steps: int) -> None:
        """Raises UnavailableError or OptionError where the operation cannot be applied."""
        if operation not in self.operations and not (operation == wire.SAVE and self.saves):
            try:
                word = wire.Operation.Name(operation)
            except ValueError:
                word = str(operation)
            can = ", ".join(wire.Operation.Name(o) for o in self.operations)
            raise UnavailableError(f"{self.name}: what was fitted cannot do {word}; it can do {can}")
        if operation in (wire.PREDICT_FEATURES, wire.PREDICT_OBSERVABLE, wire.FORECAST) and not 1 <= steps < 1 << 31:
            raise OptionError(f"{self.name}: {steps} steps; there must be at least 1")


class OnSnapshots(Fitted):
    """Something fitted to snapshots."""

    def __init__(self, thing: Thing, result: Any, training: Training, thread: Thread) -> None:
        super().__init__(thing, result, training, thread)
        self.shape = training.train.shape[1:]
        self.states = training.states
        self._first = training.train[:1].copy()

    def check_input(self, operation: int, x: AnyArray) -> AnyArray:
        """Checks snapshots."""
        x = _checks.snapshots(self.name, x)
        if x.shape[1:] != self.shape:
            raise ShapeError(f"{self.name}: snapshots of shape {x.shape[1:]}; it was fitted to snapshots of shape {self.shape}")
        return x

    def dim(self, method: str) -> int:
        """Finds the number of features by embedding the first training snapshot."""
        value = getattr(self.thing, method)(self._first)
        features = _checks.returned(self.what(method), value, np.float64, (1, None), "features, one row a snapshot")
        if not features.shape[1]:
            raise ContractError(f"{self.what(method)} returned no feature")
        return int(features.shape[1])


class FittedModel(OnSnapshots):
    """What the fit of a method gives."""

    required = "predict"
    spectral = ("left_eigenfunctions",)

    def __init__(self, thing: Thing, result: Any, training: Training, thread: Thread) -> None:
        super().__init__(thing, result, training, thread)
        self._loads = loads(thing)

    def describe(self) -> tuple[wire.Fitted, list[tuple[str, AnyArray]]]:
        """See Fitted."""
        self.operations[wire.PREDICT] = self.operation(
            "predict", "snapshots", np.float32, self.shape, "a snapshot for each that it is given"
        )
        reply = wire.Fitted()
        if self.has("forecast"):
            self.operations[wire.FORECAST] = self.operation(
                "forecast", "snapshots", np.float32, self.shape, "a snapshot for each that it is given", steps=True
            )
            reply.abilities.append("forecast")
        self.saves = self._loads and self.has("save")
        if self.saves:
            reply.abilities.append("save")
        return reply, self.describe_spectrum(reply)

    def save(self) -> tuple[bytes, dict[str, AnyArray]]:
        """Returns the model as it is sent."""
        what, saved = self.what("save"), self.thing.save()
        if not isinstance(saved, Saved):
            if not isinstance(saved, Mapping):
                raise ContractError(f"{what} returned a {type(saved).__name__}; it must return arrays by name, or a Saved")
            saved = Saved(arrays=saved)
        return saved.sent(what, self.shape)


class FittedEmbedding(OnSnapshots):
    """What the fit of an embedder gives."""

    required = "embed"
    features = 0

    def describe(self) -> tuple[wire.Fitted, list[tuple[str, AnyArray]]]:
        """See Fitted."""
        self.features = self.dim("embed")
        self.operations[wire.EMBED] = self.operation(
            "embed", "features", np.float64, (self.features,), "features, one row a snapshot"
        )
        reply = wire.Fitted(dim=self.features)
        if self.has("decode"):
            reply.abilities.append("decode")
            self.operations[wire.DECODE] = self.operation(
                "decode", "snapshots", np.float32, self.shape, "a snapshot for each row"
            )
        return reply, []

    def input_of(self, operation: int) -> str:
        """See Fitted."""
        return "features" if operation == wire.DECODE else "snapshots"

    def check_input(self, operation: int, x: AnyArray) -> AnyArray:
        """See Fitted."""
        if operation != wire.DECODE:
            return super().check_input(operation, x)
        return _features(self.name, x, self.features)


class FittedJudge(OnSnapshots):
    """What the fit of an oracle gives."""

    required = "classify"

    def describe(self) -> tuple[wire.Fitted, list[tuple[str, AnyArray]]]:
        """See Fitted."""
        classify = self.operation("classify", "labels", np.int64, (), "a label for each snapshot")

        def labels(x: AnyArray, steps: int) -> tuple[str, AnyArray]:
            name, values = classify(x, steps)
            wrong = np.flatnonzero((values < 0) | (values >= self.states))
            if wrong.size:
                raise ContractError(
                    f"{self.what('classify')} returned the label {values[wrong[0]]} of snapshot {wrong[0]}; "
                    f"labels are in 0 … {self.states - 1}"
                )
            return name, values

        self.operations[wire.CLASSIFY] = labels
        reply = wire.Fitted()
        if self.has("encode"):
            reply.dim = self.dim("encode")
            reply.abilities.append("encoder")
            self.operations[wire.EMBED] = self.operation(
                "encode", "features", np.float64, (reply.dim,), "features, one row a snapshot"
            )
        return reply, []


class FittedOperator(Fitted):
    """What the fit of an evolution operator gives."""

    required = "predict"
    function = False
    spectral = ("left_eigenfunctions", "right_eigenfunctions")

    def __init__(self, thing: Thing, result: Any, training: OperatorTraining, thread: Thread) -> None:
        super().__init__(thing, result, training, thread)
        self.dim = training.features.shape[1]
        self.observed = 0 if training.observable is None else training.observable.shape[1]

    def describe(self) -> tuple[wire.Fitted, list[tuple[str, AnyArray]]]:
        """See Fitted."""
        rank = getattr(self.thing, "rank", None)
        if not isinstance(rank, (int, np.integer)) or not 0 <= rank <= self.dim:
            raise ContractError(f"{self.name}: the operator's rank is {rank!r}; it must be a whole number in 0 … {self.dim}")
        self.operations[wire.PREDICT_FEATURES] = self.operation(
            "predict", "features", np.float64, (self.dim,), "features, one row for each that it is given", steps=True
        )
        if self.observed:
            if not self.has("predict_observable"):
                raise ContractError(
                    f"{self.name}: the fit was given an observable, and what it gave has no method predict_observable; add it"
                )
            self.operations[wire.PREDICT_OBSERVABLE] = self.operation(
                "predict_observable",
                "observable",
                np.float64,
                (self.observed,),
                "the observable, one row for each row of features",
                steps=True,
            )
        reply = wire.Fitted(rank=int(rank))
        return reply, self.describe_spectrum(reply)

    def input_of(self, operation: int) -> str:
        """See Fitted."""
        return "features"

    def check_input(self, operation: int, x: AnyArray) -> AnyArray:
        """See Fitted."""
        return _features(self.name, x, self.dim)


def _features(name: str, z: AnyArray, dim: int) -> AnyArray:
    z = _checks.matrix(name, z)
    if z.shape[1] != dim:
        raise ShapeError(f"{name}: rows of {z.shape[1]} features; it has {dim}")
    return z


KINDS: dict[int, type[Fitted]] = {
    wire.METHOD: FittedModel,
    wire.EMBEDDER: FittedEmbedding,
    wire.OPERATOR: FittedOperator,
    wire.ORACLE: FittedJudge,
}
