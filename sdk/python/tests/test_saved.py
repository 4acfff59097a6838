"""What one process stores and another reads: the history in checkpoints, and models."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from conftest import Serve
from examples import Given, Ridge
from host import Array, Failed, Host, chunks, read

from koopbench_plugin import Epoch, Method, Saved, Snapshots, Training
from koopbench_plugin.wire import plugin_pb2 as wire

INTERRUPTED = {"training": {"koopbench.history": np.array([[1, 4.5, math.nan], [2, math.inf, 2.25], [4, 1.0, 2.0]])}}
"""What a fit left that had reported the epochs 1, 2 and 4."""


def history(host: Host, x: Array) -> list[tuple[int, float, float]]:
    report = host.fit_method("given", x, checkpoint_seconds=3600.0, checkpoints=INTERRUPTED).report
    return [(e.number, e.train, -1.0 if math.isnan(e.validation) else e.validation) for e in report.history]


@pytest.mark.parametrize(
    ("reads", "epochs", "wanted"),
    [
        (True, [5], [(1, 4.5, -1), (2, math.inf, 2.25), (4, 1, 2), (5, 0.5, -1)]),
        (True, [], [(1, 4.5, -1), (2, math.inf, 2.25), (4, 1, 2)]),
        (True, [2, 3], [(1, 4.5, -1), (2, 0.5, -1), (3, 0.5, -1)]),
        (True, [1], [(1, 0.5, -1)]),
        (False, [1, 2], [(1, 0.5, -1), (2, 0.5, -1)]),
        (False, [], []),
    ],
    ids=["goes on", "was at its end", "goes back", "begins anew", "does not look", "does nothing"],
)
def test_a_continued_fit_keeps_its_history(
    serve: Serve, x: Array, reads: bool, epochs: list[int], wanted: list[tuple[int, float, float]]
) -> None:
    def fit(training: Training) -> Callable[[Snapshots], Snapshots]:
        assert "training" in training.checkpoints
        assert list(training.checkpoints) == ["training"]
        if reads:
            assert training.checkpoints["training"] == {}, "the history is the package's"
        for number in epochs:
            training.epoch(number, 0.5)
        return lambda snapshots: snapshots

    assert history(serve(Given(fit)), x) == wanted


def test_epochs_that_do_not_ascend_are_still_wrong(serve: Serve, x: Array) -> None:
    def fit(training: Training) -> Any:
        assert training.checkpoints.get("training") is not None
        training.report.history.append(Epoch(5, 1.0))
        training.epoch(5, 1.0)

    with pytest.raises(Failed, match="entry 5 of the history is epoch 5, after epoch 5"):
        history(serve(Given(lambda t: fit(t) or (lambda s: s))), x)


class Keeps(Ridge):
    """A class that is its own model."""

    def save(self) -> Any:
        return Saved(
            arrays={"axes": self.axes, "weights": self.weights, "left/re": self.left.real, "left/im": self.left.imag},
            facts={"values": [(v.real, v.imag) for v in self.values.astype(complex)]},
        )

    def load(self, saved: Saved) -> None:
        arrays = {name: np.asarray(a) for name, a in saved.arrays.items()}
        self.axes, self.weights = arrays["axes"], arrays["weights"]
        self.left = arrays["left/re"] + 1j * arrays["left/im"]
        self.values = np.array([complex(*v) for v in saved.facts["values"]])


class Mean(Method):
    """A method whose fit returns a model, and whose load is a class method."""

    name = "mean"
    summary = "the mean snapshot"

    class Model:
        """The mean of a mean."""

        def __init__(self, mean: Array) -> None:
            self.mean = mean

        def predict(self, snapshots: Snapshots) -> Array:
            return np.broadcast_to(self.mean, snapshots.shape)

        def save(self) -> Mapping[str, Array]:
            return {"mean": self.mean}

    def fit(self, training: Training) -> Model:
        return Mean.Model(training.train.mean(0))

    @classmethod
    def load(cls, saved: Saved) -> Model:
        return Mean.Model(np.asarray(saved.arrays["mean"]))


def save(host: Host, handle: int) -> tuple[bytes, dict[str, Array]]:
    call = wire.ApplyCall(handle=handle, operation=wire.SAVE)
    frames = host.call("Apply", [wire.Frame(apply=call)])
    first = next(frames)
    if first.WhichOneof("content") == "failure":
        raise Failed(first.failure)
    return first.result.state.facts, read(first.result.state.arrays, frames)


def load(host: Host, name: str, facts: bytes, arrays: Mapping[str, Array], kind: wire.Kind = wire.METHOD) -> wire.Fitted:
    from host import announce

    state = wire.State(facts=facts, arrays=[announce(n, a) for n, a in arrays.items()])
    call = wire.LoadCall(kind=kind, name=name, state=state)
    message, _, _ = host.exchange("Fit", [wire.Frame(load=call), *chunks(*arrays.values())], "fitted")
    assert isinstance(message, wire.Fitted)
    return message


def test_a_saved_model_is_the_same_in_another_process(serve: Serve, x: Array) -> None:
    host = serve(Keeps())
    fitted = host.fit_method("ridge", x, options={"alpha": 1e-6})
    assert fitted.abilities == ["forecast", "save", "spectrum"]
    facts, arrays = save(host, fitted.handle)
    assert set(arrays) == {"axes", "weights", "left/re", "left/im"}
    assert json.loads(facts)["snapshot"] == [3, 4]
    other = serve(Keeps())
    loaded = load(other, "ridge", facts, arrays)
    assert list(loaded.abilities) == fitted.abilities
    for operation in (wire.PREDICT, wire.LEFT_EIGENFUNCTIONS):
        np.testing.assert_array_equal(
            other.apply(loaded.handle, operation, x), host.apply(fitted.handle, operation, x), wire.Operation.Name(operation)
        )
    again_facts, again = save(other, loaded.handle)
    assert again_facts == facts
    assert all((again[n] == arrays[n]).all() for n in arrays)
    with pytest.raises(Failed, match=r"SHAPE: ridge: snapshots of shape \(2,\); it was fitted to snapshots of shape \(3, 4\)"):
        other.apply(loaded.handle, wire.PREDICT, np.zeros((1, 2), np.float32))


def test_a_model_apart_and_a_class_method(serve: Serve, x: Array) -> None:
    host = serve(Mean())
    assert host.describe().things[0].loads
    fitted = host.fit_method("mean", x)
    facts, arrays = save(host, fitted.handle)
    loaded = load(host, "mean", facts, arrays)
    np.testing.assert_array_equal(host.apply(loaded.handle, wire.PREDICT, x)[0], x.mean(0))


def test_what_cannot_be_saved_or_loaded(serve: Serve, x: Array) -> None:
    host = serve(Given(lambda _: lambda s: s), Mean())
    assert [t.loads for t in host.describe().things] == [False, True]
    fitted = host.fit_method("given", x)
    assert fitted.abilities == []
    with pytest.raises(Failed, match="UNAVAILABLE: given: what was fitted cannot do SAVE"):
        save(host, fitted.handle)
    with pytest.raises(Failed, match="UNAVAILABLE: given: it has no load"):
        load(host, "given", b"", {})
    for facts in (b"", b"{}", b'{"snapshot": [3, "x"], "facts": {}}', b'{"snapshot": [3], "facts": 1}'):
        with pytest.raises(Failed, match="CONTRACT: mean: the facts of the model are not those"):
            load(host, "mean", facts, {})


@pytest.mark.parametrize(
    ("saved", "says"),
    [
        (None, "returned a NoneType; it must return arrays by name, or a Saved"),
        ({"a b": np.zeros(2)}, "an array is called 'a b'"),
        ({"a": np.zeros(2, np.complex128)}, "the array 'a' is of complex128; it must be float32"),
        (Saved(facts={"a": math.inf}), "do not become JSON"),
        (Saved(facts={"a": np.zeros(1)}), "do not become JSON"),
    ],
)
def test_wrong_states(serve: Serve, x: Array, saved: Any, says: str) -> None:
    class Wrong(Mean):
        name = "wrong"

        def fit(self, training: Training) -> Any:
            model = Mean.Model(training.train.mean(0))
            model.save = lambda: saved  # type: ignore[method-assign]
            return model

    host = serve(Wrong())
    with pytest.raises(Failed, match=f"CONTRACT: wrong: save.*{says}"):
        save(host, host.fit_method("wrong", x).handle)
