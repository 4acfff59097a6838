"""Embedders, evolution operators, losses and oracles, and the checks of what authors' code returns, over gRPC."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from conftest import Serve
from examples import Given, LeastSquares, Nearest, Pca, Ridge, Squares, rows
from host import Array, Failed
from hypothesis import given
from hypothesis import strategies as st

from koopbench_plugin import (
    Embedder,
    EvolutionOperator,
    Loss,
    LossValue,
    OperatorTraining,
    Oracle,
    ShapeError,
    Training,
    _checks,
)
from koopbench_plugin.wire import plugin_pb2 as wire


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (lambda s: s[1:], r"given: predict returned an array of shape \(19, 3, 4\); .*of shape \(20, 3, 4\)"),
        (lambda s: s.reshape(20, 12), r"shape \(20, 12\); it must return a snapshot for each that it is given"),
        (lambda s: None, "predict returned object"),
        (lambda s: s.astype(str), "predict returned <U"),
        (lambda s: s + 1j, "predict returned complex64; it must return a snapshot for each"),
        (lambda s: [[1], [1, 2]], "predict returned a list, which does not become an array"),
        (lambda s: np.where(s == s[2, 1, 3], np.nan, s), r"not finite as float32: the value at \[2, 1, 3\] is nan"),
        (lambda s: np.full(s.shape, 1e300), r"not finite as float32: the value at \[0, 0, 0\] is inf"),
    ],
)
def test_wrong_predictions(serve: Serve, x: Array, result: Any, says: str) -> None:
    host = serve(Given(lambda _: result))
    fitted = host.fit_method("given", x)
    with pytest.raises(Failed, match="CONTRACT: .*" + says):
        host.apply(fitted.handle, wire.PREDICT, x)


@pytest.mark.parametrize(
    "result",
    [
        lambda s: s.astype(np.float64) + 1e-12,
        lambda s: s.tolist(),
        lambda s: np.asfortranarray(s),
        lambda s: s[::-1][::-1],
        lambda s: s.astype(">f4"),
        lambda s: memoryview(s),
    ],
)
def test_predictions_of_many_forms(serve: Serve, x: Array, result: Any) -> None:
    host = serve(Given(lambda _: result))
    fitted = host.fit_method("given", x)
    np.testing.assert_array_equal(host.apply(fitted.handle, wire.PREDICT, x), x)


def test_whole_and_half_numbers(serve: Serve, x: Array) -> None:
    host = serve(Given(lambda _: lambda s: np.ones(s.shape, int)))
    np.testing.assert_array_equal(host.apply(host.fit_method("given", x).handle, wire.PREDICT, x), np.ones_like(x))


def test_no_snapshot(serve: Serve, x: Array) -> None:
    def predict(s: Array) -> Array:
        raise AssertionError("there is nothing to predict")

    host = serve(Given(lambda _: predict), Pca(), LeastSquares())
    fitted = host.fit_method("given", x)
    assert host.apply(fitted.handle, wire.PREDICT, x[:0]).shape == (0, 3, 4)
    fitted = host.fit_method("pca", x, kind=wire.EMBEDDER, options={"dim": 3})
    assert host.apply(fitted.handle, wire.EMBED, x[:0]).shape == (0, 3)
    assert host.apply(fitted.handle, wire.DECODE, np.zeros((0, 3)), on="features").shape == (0, 3, 4)


def test_wrong_inputs(serve: Serve, x: Array) -> None:
    host = serve(Given(lambda _: lambda s: s))
    handle = host.fit_method("given", x).handle
    with pytest.raises(Failed, match=r"SHAPE: given: snapshots of shape \(4,\); it was fitted to snapshots of shape \(3, 4\)"):
        host.apply(handle, wire.PREDICT, x[:, 0])
    with pytest.raises(Failed, match="NON_FINITE: given: the value at"):
        host.apply(handle, wire.PREDICT, x * np.float32(np.nan))
    with pytest.raises(Failed, match="CONTRACT: given: the host sent float64"):
        host.apply(handle, wire.PREDICT, x.astype(float))
    with pytest.raises(Failed, match="CONTRACT: the host announced"):
        host.apply(handle, wire.PREDICT, x, on="features")
    for operation in (wire.EMBED, wire.DECODE, wire.CLASSIFY, wire.PREDICT_FEATURES, wire.OPERATION_UNSPECIFIED, 77):
        with pytest.raises(Failed, match="UNAVAILABLE: given: what was fitted cannot do"):
            host.apply(handle, operation, x)  # type: ignore[arg-type]


def test_forecast(serve: Serve, x: Array) -> None:
    host = serve(Ridge(), Given(lambda _: lambda s: s))
    fitted = host.fit_method("ridge", x, options={"alpha": 1e-6})
    one = host.apply(fitted.handle, wire.FORECAST, x, steps=1)
    np.testing.assert_array_equal(one, host.apply(fitted.handle, wire.PREDICT, x))
    local = Ridge()
    local.fit(Training(train=x, validation=x, options={"alpha": 1e-6}))
    three = host.apply(fitted.handle, wire.FORECAST, x, steps=3)
    assert three.dtype == np.float32
    one_by_one = np.concatenate([local.forecast(x[k : k + 1], 3) for k in range(len(x))])
    np.testing.assert_array_equal(three, one_by_one.astype(np.float32))
    assert host.apply(fitted.handle, wire.FORECAST, x[:0], steps=2).shape == (0, 3, 4)
    with pytest.raises(Failed, match="OPTION: ridge: 0 steps; there must be at least 1"):
        host.apply(fitted.handle, wire.FORECAST, x)
    with pytest.raises(Failed, match=r"SHAPE: ridge: snapshots of shape \(4,\)"):
        host.apply(fitted.handle, wire.FORECAST, x[:, 0], steps=2)

    fitted = host.fit_method("given", x)
    assert fitted.abilities == []
    with pytest.raises(Failed, match="UNAVAILABLE: given: what was fitted cannot do FORECAST; it can do PREDICT"):
        host.apply(fitted.handle, wire.FORECAST, x, steps=2)


def test_wrong_forecasts(serve: Serve, x: Array) -> None:
    class Short:
        def predict(self, snapshots: Array) -> Array:
            return snapshots

        def forecast(self, snapshots: Array, steps: int) -> Array:
            return snapshots[steps:]

    host = serve(Given(lambda _: Short()))
    fitted = host.fit_method("given", x)
    with pytest.raises(Failed, match=r"CONTRACT: .*forecast returned an array of shape \(18, 3, 4\)"):
        host.apply(fitted.handle, wire.FORECAST, x, steps=2)


def test_embedder(serve: Serve, x: Array) -> None:
    host = serve(Pca())
    fitted = host.fit_method("pca", x, kind=wire.EMBEDDER, options={"dim": 12})
    assert (fitted.dim, fitted.abilities) == (12, ["decode"])
    features = host.apply(fitted.handle, wire.EMBED, x)
    assert (features.dtype, features.shape) == (np.float64, (20, 12))
    np.testing.assert_allclose(features.mean(0), 0, atol=1e-12)
    decoded = host.apply(fitted.handle, wire.DECODE, features, on="features")
    assert decoded.dtype == np.float32
    np.testing.assert_allclose(decoded, x, atol=1e-6)
    with pytest.raises(Failed, match="SHAPE: pca: rows of 11 features; it has 12"):
        host.apply(fitted.handle, wire.DECODE, features[:, 1:], on="features")


class _Function(Embedder):
    name = "function"
    summary = "an embedder whose fit returns a function"

    def __init__(self, embed: Any) -> None:
        self._embed = embed

    def fit(self, training: Training) -> Any:
        return self._embed


def test_an_embedders_function(serve: Serve, x: Array) -> None:
    host = serve(_Function(lambda s: rows(s)[:, :5]))
    fitted = host.fit_method("function", x, kind=wire.EMBEDDER)
    assert (fitted.dim, fitted.abilities) == (5, [])
    np.testing.assert_array_equal(host.apply(fitted.handle, wire.EMBED, x), rows(x)[:, :5])


@pytest.mark.parametrize(
    ("embed", "says"),
    [
        (lambda s: s, r"shape \(1, 3, 4\); it must return features, one row a snapshot, an array of shape \(1, n\)"),
        (lambda s: rows(s)[:, :0], "returned no feature"),
        (lambda s: rows(s)[0], r"shape \(12,\)"),
        (lambda s: rows(s) * np.inf, "not finite"),
    ],
)
def test_wrong_features(serve: Serve, x: Array, embed: Any, says: str) -> None:
    with pytest.raises(Failed, match="CONTRACT: function: embed .*" + says):
        serve(_Function(embed)).fit_method("function", x, kind=wire.EMBEDDER)


def trajectory() -> Array:
    a = np.array([[0.9, 0.2, 0], [-0.2, 0.9, 0], [0, 0, 0.5]])
    z = [np.array([1.0, 2.0, 3.0])]
    for _ in range(29):
        z.append(z[-1] @ a)
    return np.array(z)


def test_operator(serve: Serve) -> None:
    z = trajectory()
    observable = np.stack([z.sum(1), z[:, 0]], 1)
    host = serve(LeastSquares())
    fitted = host.fit(wire.OPERATOR, "least-squares", ("features", z), ("observable", observable), lag=1, precision=2.0**-23)
    assert (fitted.rank, fitted.abilities) == (3, ["spectrum"])
    assert fitted.eigenvalues is not None
    np.testing.assert_allclose(np.abs(fitted.eigenvalues), [math.hypot(0.9, 0.2)] * 2 + [0.5])
    for steps in (1, 3):
        predicted = host.apply(fitted.handle, wire.PREDICT_FEATURES, z[:-3], steps, on="features")
        np.testing.assert_allclose(predicted, z[steps : len(z) - 3 + steps], atol=1e-9)
        seen = host.apply(fitted.handle, wire.PREDICT_OBSERVABLE, z[:-3], steps, on="features")
        np.testing.assert_allclose(seen, observable[steps : len(z) - 3 + steps], atol=1e-9)
    right = host.apply(fitted.handle, wire.RIGHT_EIGENFUNCTIONS, z, on="features")
    np.testing.assert_allclose(right[1:], right[:-1] * fitted.eigenvalues, atol=1e-9)
    left = host.apply(fitted.handle, wire.LEFT_EIGENFUNCTIONS, z, on="features")
    assert (left.dtype, left.shape) == (np.complex128, (30, 3))
    np.testing.assert_allclose(left @ right.T, z @ z.T, atol=1e-9)
    for steps in (0, 2**31):
        with pytest.raises(Failed, match=f"OPTION: least-squares: {steps} steps"):
            host.apply(fitted.handle, wire.PREDICT_FEATURES, z, steps, on="features")
    with pytest.raises(Failed, match="SHAPE: least-squares: rows of 2 features; it has 3"):
        host.apply(fitted.handle, wire.PREDICT_FEATURES, z[:, 1:], 1, on="features")


def test_operator_on_several_trajectories(serve: Serve) -> None:
    z = trajectory()
    windows = [z[i : i + 3] for i in range(len(z) - 2)]
    fitted = serve(LeastSquares()).fit(
        wire.OPERATOR, "least-squares", ("features", np.concatenate(windows)), lag=2, feature_lengths=[3] * len(windows)
    )
    assert fitted.eigenvalues is not None
    np.testing.assert_allclose(np.abs(fitted.eigenvalues), [0.85, 0.85, 0.25])


def test_operator_without_an_observable(serve: Serve) -> None:
    z = trajectory()
    host = serve(LeastSquares())
    fitted = host.fit(wire.OPERATOR, "least-squares", ("features", z), lag=1)
    with pytest.raises(Failed, match="UNAVAILABLE: least-squares: what was fitted cannot do PREDICT_OBSERVABLE"):
        host.apply(fitted.handle, wire.PREDICT_OBSERVABLE, z, 1, on="features")


@pytest.mark.parametrize(
    ("arrays", "fields", "says"),
    [
        ([("features", np.ones((3, 2)))], {"lag": 3}, "TOO_SHORT: least-squares: features: 3 snapshots"),
        ([("features", np.ones((3, 2)))], {"lag": 1, "feature_lengths": [1, 1]}, "SHAPE: .*features: the lengths of 2 traj"),
        ([("features", np.ones((3, 2)))], {"lag": 1, "feature_lengths": [1, 1, 1]}, "TOO_SHORT: .*3 snapshots in 3 traj"),
        ([("features", np.ones((3, 2)))], {"lag": 0}, "OPTION: .*a lag of 0"),
        ([("features", np.ones((3, 0)))], {"lag": 1}, "SHAPE: .*there must be a column"),
        ([("features", np.full((3, 2), np.nan))], {"lag": 1}, "NON_FINITE: least-squares: features"),
        ([("features", np.ones((3, 2), np.float32))], {"lag": 1}, "CONTRACT: .*it must be a float64 matrix"),
        ([("features", np.ones((3, 2))), ("observable", np.ones((2, 2)))], {"lag": 1}, "SHAPE: .*2 rows of the observable for 3"),
        ([("features", np.ones((3, 2))), ("observable", np.full((3, 2), np.inf))], {"lag": 1}, "NON_FINITE: .*observable"),
        ([("observable", np.ones((3, 2)))], {"lag": 1}, "CONTRACT: the host announced"),
        ([("features", np.ones((3, 2))), ("features", np.ones((3, 2)))], {"lag": 1}, "CONTRACT: the host announced"),
        ([], {"lag": 1}, "CONTRACT: the host announced"),
    ],
)
def test_wrong_trajectories(serve: Serve, arrays: Any, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(Failed, match=says):
        serve(LeastSquares()).fit(wire.OPERATOR, "least-squares", *arrays, **fields)


class _Rank:
    def __init__(self, rank: object) -> None:
        self.rank = rank

    def predict(self, z: Array, steps: int) -> Array:
        return z


class _GivenOperator(EvolutionOperator):
    name = "operator"
    summary = "whatever the test says"

    def __init__(self, operator: Any) -> None:
        self.operator = operator

    def fit(self, training: OperatorTraining) -> Any:
        return self.operator


@pytest.mark.parametrize("rank", [None, -1, 4, 1.5, "1"])
def test_wrong_ranks(serve: Serve, z: Array, rank: object) -> None:
    with pytest.raises(Failed, match=r"CONTRACT: operator: the operator's rank is .*; it must be a whole number in 0 … 3"):
        serve(_GivenOperator(_Rank(rank))).fit(wire.OPERATOR, "operator", ("features", z), lag=1)


def test_an_operator_is_no_function(serve: Serve, z: Array) -> None:
    with pytest.raises(Failed, match="CONTRACT: operator: fit returned a function, which has no method predict"):
        serve(_GivenOperator(lambda z, steps: z)).fit(wire.OPERATOR, "operator", ("features", z), lag=1)


def test_an_operator_that_cannot_observe(serve: Serve, z: Array) -> None:
    with pytest.raises(Failed, match="CONTRACT: .*has no method predict_observable"):
        serve(_GivenOperator(_Rank(np.int64(2)))).fit(wire.OPERATOR, "operator", ("features", z), ("observable", z), lag=1)


def test_loss(serve: Serve, z: Array) -> None:
    host = serve(Squares())
    value, grad_x, grad_y, warnings = host.evaluate("squares", z[:10], z[10:20], weight=2.0)
    assert value == pytest.approx(((z[:10] - z[10:20]) ** 2).sum())
    np.testing.assert_array_equal(grad_x, 2 * (z[:10] - z[10:20]))
    np.testing.assert_array_equal(grad_y, -grad_x)
    assert warnings == []
    assert host.evaluate("squares", z, z, weight=2.0)[3] == ["the views are equal"]


def test_wrong_views(serve: Serve, z: Array) -> None:
    host = serve(Squares())
    for x, y, says in (
        (z, z[1:], "SHAPE: squares: views of shape"),
        (z[:0], z[:0], "SHAPE: squares: .*not be empty"),
        (z * np.nan, z, "NON_FINITE: squares: x"),
        (z, z * np.inf, "NON_FINITE: squares: y"),
        (z.astype(np.float32), z, "CONTRACT: squares: x"),
    ):
        with pytest.raises(Failed, match=says):
            host.evaluate("squares", x, y, weight=1.0)
    with pytest.raises(Failed, match="OPTION"):
        host.evaluate("squares", z, z)
    with pytest.raises(Failed, match="UNKNOWN"):
        host.evaluate("cubes", z, z)
    with pytest.raises(Failed, match="UNKNOWN: a loss is evaluated, not fitted"):
        host.fit(wire.LOSS, "squares")


class _GivenLoss(Loss):
    name = "loss"
    summary = "whatever the test says"

    def __init__(self, evaluate: Any) -> None:
        self._evaluate = evaluate

    def evaluate(self, x: Array, y: Array, /, **options: Any) -> Any:
        return self._evaluate(x, y)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (lambda x, y: 1.0, "CONTRACT: loss: evaluate returned a float; it must return a LossValue"),
        (lambda x, y: (1.0, x), "CONTRACT: loss: evaluate returned a tuple"),
        (lambda x, y: (math.nan, x, y), "CONTRACT: .*not finite"),
        (lambda x, y: ("one", x, y), "CONTRACT: .*<U3"),
        (lambda x, y: (x, x, y), "CONTRACT: .*must return a number"),
        (lambda x, y: (1.0, x[1:], y), r"CONTRACT: .*a gradient of the shape of x, an array of shape \(30, 3\)"),
        (lambda x, y: (1.0, x, y * np.inf), "CONTRACT: .*not finite"),
        (lambda x, y: (1.0, x, y, ["a" * 8193]), "CONTRACT: warning 1 has 8193 bytes; the most is 8192"),
        (lambda x, y: x.fill(0), "PANIC: ValueError: .*read-only"),
    ],
)
def test_wrong_losses(serve: Serve, z: Array, result: Any, says: str) -> None:
    with pytest.raises(Failed, match=says):
        serve(_GivenLoss(result)).evaluate("loss", z, z)


def test_losses_of_many_forms(serve: Serve, z: Array) -> None:
    for result in ((1, z, z), (np.float32(1), z, z), (np.array([[1.0]]), z, z), LossValue(1.0, z.tolist(), z, ["w"])):
        assert serve(_GivenLoss(lambda x, y, r=result: r)).evaluate("loss", z, z)[0] == 1

    def short(x: Array, y: Array) -> None:
        raise ShapeError("30 rows; give at least 40")

    with pytest.raises(Failed, match="SHAPE: 30 rows; give at least 40"):
        serve(_GivenLoss(short)).evaluate("loss", z, z)


def test_oracle(serve: Serve, x: Array) -> None:
    host = serve(Nearest())
    labels = np.arange(20) % 4
    arrays = [("train", x), ("validation", x), ("train_labels", labels), ("validation_labels", labels)]
    fitted = host.fit(wire.ORACLE, "nearest", *arrays, lag=1, states=4)
    assert (fitted.dim, fitted.abilities) == (4, ["encoder"])
    features = host.apply(fitted.handle, wire.EMBED, x)
    assert (features.dtype, features.shape) == (np.float64, (20, 4))
    classified = host.apply(fitted.handle, wire.CLASSIFY, x)
    assert classified.dtype == np.int64
    np.testing.assert_array_equal(classified, features.argmax(1))
    with pytest.raises(Failed, match="UNAVAILABLE: nearest: it learns from labels"):
        host.fit(wire.ORACLE, "nearest", *arrays[:2], lag=1, states=4)


class _GivenOracle(Oracle):
    name = "oracle"
    summary = "whatever the test says"

    def __init__(self, classify: Any) -> None:
        self._classify = classify

    def fit(self, training: Training) -> Any:
        return self._classify


@pytest.mark.parametrize(
    ("classify", "says"),
    [
        (lambda s: np.full(len(s), 4), "returned the label 4 of snapshot 0; labels are in 0 … 3"),
        (lambda s: np.full(len(s), -1), "returned the label -1"),
        (lambda s: np.zeros(len(s)), "returned float64; it must return a label for each snapshot, which become int64"),
        (lambda s: np.zeros((len(s), 1), int), r"shape \(20, 1\)"),
    ],
)
def test_wrong_labels(serve: Serve, x: Array, classify: Any, says: str) -> None:
    host = serve(_GivenOracle(classify))
    labels = np.arange(20) % 4
    arrays = [("train", x), ("validation", x), ("train_labels", labels), ("validation_labels", labels)]
    fitted = host.fit(wire.ORACLE, "oracle", *arrays, lag=1, states=4)
    assert fitted.abilities == []
    with pytest.raises(Failed, match="CONTRACT: oracle: classify .*" + says):
        host.apply(fitted.handle, wire.CLASSIFY, x)


@given(st.lists(st.complex_numbers(max_magnitude=1e3, allow_nan=False), max_size=6))
def test_spectra_are_sorted(values: list[complex]) -> None:
    given = np.array(values, complex)
    ordered, order = _checks.spectrum("test", given)
    np.testing.assert_allclose(ordered, given[order], rtol=1e-8)
    assert sorted(order) == list(range(len(values)))
    moduli = np.abs(ordered)
    assert (moduli[1:] <= moduli[:-1]).all()


@given(st.integers(0, 2**32))
def test_conjugate_pairs_stay_together(seed: int) -> None:
    rng = np.random.default_rng(seed)
    q = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    values = np.linalg.eigvals(q @ np.roll(np.eye(5), 1, axis=1) @ q.T)  # the fifth roots of 1, to rounding
    rng.shuffle(values)
    ordered, _ = _checks.spectrum("test", values)
    np.testing.assert_allclose(ordered**5, 1, atol=1e-12)
    upper = np.flatnonzero(ordered.imag > 0)
    assert len(upper) == 2
    np.testing.assert_array_equal(ordered[upper + 1], ordered[upper].conj())
