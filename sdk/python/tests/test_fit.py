"""Fits of methods, over gRPC."""

from __future__ import annotations

import copy
import gc
import math
import os
import re
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest
from conftest import Serve
from examples import Descent, Given, Pca, Ridge, Squares, Typed, rows
from host import Array, Failed, apply_frames, fit_frames, until

from koopbench_plugin import (
    Cancelled,
    ContractError,
    Epoch,
    LabelError,
    Method,
    NonFiniteError,
    OptionError,
    PluginError,
    Saved,
    ShapeError,
    Snapshots,
    TooShortError,
    Training,
    UnavailableError,
    UnknownError,
)
from koopbench_plugin.wire import plugin_pb2 as wire

RIDGE = {"alpha": 1e-6}


def test_a_class_with_fit_and_predict(serve: Serve, x: Array) -> None:
    host = serve(Ridge())
    fitted = host.fit_method("ridge", x, options=RIDGE)
    assert fitted.abilities == ["forecast", "spectrum"]
    assert (fitted.report.rank, fitted.report.parameters) == (12, 144)

    local = Ridge()
    local.fit(Training(train=x, validation=x, options=RIDGE))
    predicted = host.apply(fitted.handle, wire.PREDICT, x)
    assert predicted.dtype == np.float32
    one_by_one = [local.predict(x[k : k + 1]) for k in range(len(x))]
    np.testing.assert_array_equal(predicted, np.concatenate(one_by_one).astype(np.float32))
    np.testing.assert_array_equal(fitted.eigenvalues, local.values)
    left = host.apply(fitted.handle, wire.LEFT_EIGENFUNCTIONS, x)
    np.testing.assert_array_equal(left, np.concatenate([local.left_eigenfunctions(x[k : k + 1]) for k in range(len(x))]))


def test_a_class_that_is_trained(serve: Serve, x: Array) -> None:
    host = serve(Descent())
    options = {"epochs": 3, "lr": 0.5}
    fits = [host.fit_method("descent", x, options=options, seed=seed) for seed in (1, 1, 2)]
    assert fits[0].phases == [("training", 6)]
    assert fits[0].advances == [1, 2, 3, 4, 5, 6]
    assert [e.number for e in fits[0].epochs] == [1, 2, 3]
    assert list(fits[0].report.history) == list(fits[1].report.history)
    once, again, other = (host.apply(f.handle, wire.PREDICT, x) for f in fits)
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()


def test_row_by_row(serve: Serve, x: Array) -> None:
    lengths: list[int] = []

    def predict(s: Array) -> Array:
        lengths.append(len(s))
        return s + len(lengths) if len(s) == 1 else s

    def fit(training: Training) -> Any:
        return predict

    given = Given(fit)
    given.row_by_row = True
    host = serve(given)
    fitted = host.fit_method("given", x)
    predicted = host.apply(fitted.handle, wire.PREDICT, x)
    assert lengths == [1] * 20
    np.testing.assert_array_equal(predicted, x + np.arange(1, 21, dtype=np.float32)[:, None, None])
    assert host.apply(fitted.handle, wire.PREDICT, x[:0]).shape == (0, 3, 4)
    given = Given(lambda _: lambda s: s[:, 0])
    given.row_by_row = True
    host = serve(given)
    with pytest.raises(Failed, match=r"CONTRACT: given: predict of row 0 alone returned an array of shape \(1, 4\)"):
        host.apply(host.fit_method("given", x).handle, wire.PREDICT, x)


def test_row_by_row_ends_between_rows(serve: Serve, x: Array) -> None:
    lengths: list[int] = []
    started = threading.Event()

    def fit(training: Training) -> Any:
        def predict(s: Array) -> Array:
            lengths.append(len(s))
            if len(lengths) == 1:
                started.set()
                assert until(lambda: training.cancelled)
            return s

        return predict

    given = Given(fit)
    given.row_by_row = True
    host = serve(given)
    fitted = host.fit_method("given", x)
    call = host.call("Apply", apply_frames(fitted.handle, wire.PREDICT, ("snapshots", x)), timeout=None)
    assert started.wait(10)
    call.cancel()
    host.apply(fitted.handle, wire.PREDICT, x[:3])
    assert lengths == [1] * 4, "one of the cancelled call, then three"


def test_a_fit_keeps_no_training_data(serve: Serve, x: Array) -> None:
    seen: list[weakref.ref[Any]] = []

    def fit(training: Training) -> Any:
        seen.append(weakref.ref(training.train))
        return lambda s: s

    host = serve(Given(fit))
    fitted = host.fit_method("given", x)
    assert until(lambda: gc.collect() >= 0 and seen[0]() is None)
    np.testing.assert_array_equal(host.apply(fitted.handle, wire.PREDICT, x), x)


def test_fits_are_independent(serve: Serve, x: Array) -> None:
    thing = Ridge()
    host = serve(thing)
    first = host.fit_method("ridge", x, options=RIDGE)
    before = host.apply(first.handle, wire.PREDICT, x)
    second = host.fit_method("ridge", 2 * x[::-1] + 1, options=RIDGE)
    assert first.handle != second.handle
    np.testing.assert_array_equal(host.apply(first.handle, wire.PREDICT, x), before)
    assert (host.apply(second.handle, wire.PREDICT, x) != before).any()
    assert not hasattr(thing, "weights"), "the thing itself is never fitted"
    again = host.fit_method("ridge", x, options=RIDGE)
    np.testing.assert_array_equal(host.apply(again.handle, wire.PREDICT, x), before)


def test_what_a_fit_sees(serve: Serve, x: Array) -> None:
    seen: list[Training] = []

    def fit(training: Training) -> Any:
        seen.append(training)
        return lambda s: s

    host = serve(Given(fit))
    host.fit_method("given", x[:12], x[12:], seed=-7, lag=2, states=5)
    (t,) = seen
    np.testing.assert_array_equal(t.train, x[:12])
    np.testing.assert_array_equal(t.validation, x[12:])
    assert (t.seed, t.lag, t.states, t.name, t.oracle_dim) == (-7, 2, 5, "given", 0)
    assert t.train_labels is None
    assert t.validation_labels is None


def test_a_fit_sees_several_trajectories(serve: Serve, x: Array) -> None:
    seen: list[Training] = []

    def fit(training: Training) -> Any:
        seen.append(training)
        return lambda s: s

    host = serve(Given(fit))
    assert host.describe().trajectories, "a host refuses to send several to those that do not say so"
    host.fit_method("given", x[:12], x[12:], lag=2, train_lengths=[5, 1, 6], validation_lengths=[3, 5])
    host.fit_method("given", x[:12], x[12:], lag=2)
    several, one = seen
    np.testing.assert_array_equal(several.train, x[:12])
    assert ([len(t) for t in several.trajectories], [len(t) for t in several.validation_trajectories]) == ([5, 1, 6], [3, 5])
    starts = [0, 1, 2, 6, 7, 8, 9]
    np.testing.assert_array_equal(several.pairs(), (x[starts], x[[i + 2 for i in starts]]))
    np.testing.assert_array_equal(several.validation_pairs(), (x[[12, 15, 16, 17]], x[[14, 17, 18, 19]]))
    assert (one.train_lengths, one.validation_lengths) == (None, None)
    np.testing.assert_array_equal(one.pairs(), (x[:10], x[2:12]))


def test_labels(serve: Serve, x: Array) -> None:
    seen: list[Training] = []

    def fit(training: Training) -> Any:
        seen.append(training)
        return lambda s: s

    host = serve(Given(fit, exposure="labels"))
    labels = np.arange(20) % 3
    arrays = [("train", x), ("validation", x[:9]), ("train_labels", labels), ("validation_labels", labels[:9])]
    host.fit(wire.METHOD, "given", *arrays, lag=1, states=3)
    np.testing.assert_array_equal(seen[0].train_labels, labels)
    np.testing.assert_array_equal(seen[0].validation_labels, labels[:9])
    with pytest.raises(Failed, match="LABEL: given: train_labels: label 2 of snapshot 2 is not in 0 … 1"):
        host.fit(wire.METHOD, "given", *arrays, lag=1, states=2)
    with pytest.raises(Failed, match="UNAVAILABLE: given: it learns from labels, and the host has sent none"):
        host.fit(wire.METHOD, "given", *arrays[:2], lag=1, states=3)
    arrays[3] = ("validation_labels", labels)
    with pytest.raises(Failed, match="SHAPE: .* 20 labels for 9 snapshots"):
        host.fit(wire.METHOD, "given", *arrays, lag=1, states=3)


def test_pixels_become_floats(serve: Serve) -> None:
    seen: list[Training] = []

    def fit(training: Training) -> Any:
        seen.append(training)
        return lambda s: s

    host = serve(Given(fit))
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 4, 4)
    fitted = host.fit_method("given", pixels)
    wanted = (pixels.astype(np.float64) / 255).astype(np.float32)
    np.testing.assert_array_equal(seen[0].train, wanted)
    np.testing.assert_array_equal(host.apply(fitted.handle, wire.PREDICT, pixels), wanted)


def test_arrays_are_read_only(serve: Serve, x: Array) -> None:
    def fit(training: Training) -> Any:
        def predict(s: Array) -> Array:
            s *= 2
            return s

        return predict

    host = serve(Given(fit))
    for train in (x, np.zeros((4, 3, 4), np.uint8)):
        fitted = host.fit_method("given", train)
        with pytest.raises(Failed, match="PANIC: ValueError: .*read-only"):
            host.apply(fitted.handle, wire.PREDICT, x)

    def spoil(training: Training) -> Any:
        training.train[0] = 0

    with pytest.raises(Failed, match="read-only"):
        serve(Given(spoil)).fit_method("given", x)


def test_options(serve: Serve, x: Array) -> None:
    host = serve(Typed())
    options = {"centred": False, "rank": 4, "alpha": 0.25, "kernel": "matern", "path": "a, b&c=d%"}
    fitted = host.fit_method("typed", x, options=options)
    assert fitted.report.warnings == ["centred=False", "rank=4", "alpha=0.25", "kernel='matern'", "path='a, b&c=d%'"]
    for wrong in (
        {**options, "path": "a\nb"},
        {**options, "rank": 10},
        {**options, "rank": 2.0},
        {"rank": 2},
        {**options, "depth": 1},
    ):
        with pytest.raises(Failed, match="OPTION"):
            host.fit_method("typed", x, options=wrong)


def test_progress_and_report(serve: Serve, x: Array) -> None:
    def fit(training: Training) -> Any:
        training.phase("training", 3)
        for k in range(3):
            training.advance(k + 1)
            training.epoch(k + 1, 1 / (k + 1), math.nan if k == 0 else 2 / (k + 1))
        training.warn("careful")
        training.report.untrained = "it did not learn"
        training.report.compile_seconds = 1.5
        return lambda s: s

    fitted = serve(Given(fit)).fit_method("given", x)
    assert fitted.phases == [("training", 3)]
    assert fitted.advances == [1, 2, 3]
    assert [(e.number, e.train) for e in fitted.epochs] == [(1, 1), (2, 0.5), (3, 1 / 3)]
    assert math.isnan(fitted.epochs[0].validation)
    assert fitted.epochs[1:] == [Epoch(2, 0.5, 1.0), Epoch(3, 1 / 3, 2 / 3)]
    report = fitted.report
    assert (report.untrained, list(report.warnings), report.compile_seconds) == ("it did not learn", ["careful"], 1.5)
    assert [e.number for e in report.history] == [1, 2, 3]


def test_progress_while_predicting_is_not_sent(serve: Serve, x: Array) -> None:
    def fit(training: Training) -> Any:
        def predict(s: Array) -> Array:
            training.phase("predicting", 1)
            training.check()
            return s

        return predict

    host = serve(Given(fit))
    fitted = host.fit_method("given", x)
    np.testing.assert_array_equal(host.apply(fitted.handle, wire.PREDICT, x), x)


@pytest.mark.parametrize(
    "error", [LabelError, NonFiniteError, OptionError, ShapeError, TooShortError, UnavailableError, UnknownError]
)
def test_typed_errors(serve: Serve, x: Array, error: type[PluginError]) -> None:
    def fit(training: Training) -> Any:
        raise error("what is wrong, and what to do")

    with pytest.raises(Failed) as raised:
        serve(Given(fit)).fit_method("given", x)
    assert raised.value.kind == wire.Failure.Kind.Name(error.kind)
    assert raised.value.kind not in ("FAILED", "PANIC")
    assert (raised.value.message, raised.value.stack) == ("what is wrong, and what to do", "")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("alpha"), "KeyError: 'alpha'"),
        (ValueError("two\nlines"), "ValueError: two"),
        (ZeroDivisionError(), "ZeroDivisionError"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (RuntimeError("lone surrogate \udc80"), "RuntimeError: lone surrogate \\udc80"),
    ],
)
def test_exceptions(serve: Serve, x: Array, error: BaseException, message: str) -> None:
    def fit(training: Training) -> Any:
        raise error

    host = serve(Given(fit))
    with pytest.raises(Failed) as raised:
        host.fit_method("given", x)
    assert (raised.value.kind, raised.value.message) == ("PANIC", message)
    assert "in fit\n    raise error" in raised.value.stack
    assert host.healthy(), "the plugin lives on"


def test_a_plain_plugin_error(serve: Serve, x: Array) -> None:
    def fit(training: Training) -> Any:
        raise PluginError("no luck")

    with pytest.raises(Failed, match="FAILED: no luck"):
        serve(Given(fit)).fit_method("given", x)


class _Nothing(Method):
    name = "nothing"
    summary = "fits and forgets"

    def fit(self, training: Training) -> None: ...


def test_a_fit_that_gives_no_model(serve: Serve, x: Array) -> None:
    host = serve(_Nothing(), Given(lambda _: 3))
    with pytest.raises(Failed, match="CONTRACT: nothing: fit returned nothing, and _Nothing has no method predict"):
        host.fit_method("nothing", x)
    with pytest.raises(Failed, match="CONTRACT: given: fit returned a int, which has no method predict"):
        host.fit_method("given", x)


class _Spectral:
    def __init__(self, values: Any) -> None:
        self.values = values

    def predict(self, s: Array) -> Array:
        return s

    def eigenvalues(self) -> Any:
        return self.values


class _Eigenfunctions(_Spectral):
    def left_eigenfunctions(self, s: Array) -> Array:
        return np.ones((len(s), len(self.values)))


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (_Spectral([1.0]), "given has eigenvalues but no left_eigenfunctions"),
        (_Eigenfunctions([[1.0]]), r"shape \(1, 1\); it must return a vector of eigenvalues, an array of shape \(n,\)"),
        (_Eigenfunctions([math.nan]), "not finite"),
        (_Eigenfunctions(["one"]), "returned <U3"),
    ],
)
def test_wrong_spectra(serve: Serve, x: Array, model: Any, says: str) -> None:
    with pytest.raises(Failed, match="CONTRACT: .*" + says):
        serve(Given(lambda _: model)).fit_method("given", x)


def test_a_model_without_a_spectrum_after_all(serve: Serve, x: Array) -> None:
    host = serve(Given(lambda _: _Spectral(None)))
    fitted = host.fit_method("given", x)
    assert (fitted.abilities, fitted.eigenvalues) == ([], None)
    with pytest.raises(Failed, match="UNAVAILABLE: given: what was fitted cannot do LEFT_EIGENFUNCTIONS; it can do PREDICT"):
        host.apply(fitted.handle, wire.LEFT_EIGENFUNCTIONS, x)


class _Columns(_Spectral):
    def left_eigenfunctions(self, s: Array) -> Array:
        return np.outer(np.ones(len(s)), self.values)


def test_spectra_are_ordered(serve: Serve, x: Array) -> None:
    values = np.array([0.5, 0.3 - 0.4j, -1, 0.3 + 0.4j, 2j])
    host = serve(Given(lambda _: _Columns(values)))
    fitted = host.fit_method("given", x)
    ordered = np.array([2j, -1, 0.5, 0.3 + 0.4j, 0.3 - 0.4j])
    np.testing.assert_array_equal(fitted.eigenvalues, ordered)
    np.testing.assert_array_equal(host.apply(fitted.handle, wire.LEFT_EIGENFUNCTIONS, x), np.outer(np.ones(20), ordered))


@pytest.mark.parametrize(
    ("train", "fields", "says"),
    [
        (np.zeros((1, 2), np.float32), {}, "TOO_SHORT: ridge: train: 1 snapshots have no pair at a lag of 1; give at least 2"),
        (np.zeros((5, 2), np.float32), {"lag": 5}, "TOO_SHORT: .*at a lag of 5"),
        (np.zeros((5, 2), np.float32), {"lag": 0}, "OPTION: .*a lag of 0"),
        (np.zeros((5, 2), np.float32), {"lag": 2**40}, "OPTION: .*a lag of"),
        (np.zeros((5, 2), np.float32), {"states": 0}, "OPTION: .*0 states"),
        (
            np.zeros((5, 2), np.float32),
            {"train_lengths": [2, 2]},
            "SHAPE: ridge: train: the lengths of 2 trajectories add up to 4",
        ),
        (np.zeros((5, 2), np.float32), {"validation_lengths": [6]}, "SHAPE: ridge: validation: the lengths of 1 traj"),
        (
            np.zeros((5, 2), np.float32),
            {"lag": 3, "train_lengths": [3, 2]},
            "TOO_SHORT: ridge: train: 5 snapshots in 2 trajectories have no pair at a lag of 3; give a trajectory of at least 4",
        ),
        (np.zeros(5, np.float32), {}, r"CONTRACT: ridge: train: the host sent float32 of shape \(5,\)"),
        (np.zeros((5, 0), np.float32), {}, "CONTRACT: .*at least one other"),
        (np.zeros((5, 2), np.float64), {}, "CONTRACT: .*float64"),
        (np.full((5, 2), np.inf, np.float32), {}, r"NON_FINITE: ridge: train: the value at \[0, 0\] is inf"),
    ],
)
def test_wrong_data(serve: Serve, train: Array, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(Failed, match=says):
        serve(Ridge()).fit_method("ridge", train, options=RIDGE, **fields)


def test_wrong_arrays(serve: Serve, x: Array) -> None:
    host = serve(Ridge())
    good: dict[str, Any] = {"options": RIDGE, "lag": 1, "states": 2}
    with pytest.raises(Failed, match=r"CONTRACT: the host announced the arrays \['train'\]; here belong"):
        host.fit(wire.METHOD, "ridge", ("train", x), **good)
    with pytest.raises(Failed, match="CONTRACT: the host announced"):
        host.fit(wire.METHOD, "ridge", ("validation", x), ("train", x), **good)
    with pytest.raises(Failed, match="SHAPE: .*validation snapshots of shape"):
        host.fit(wire.METHOD, "ridge", ("train", x), ("validation", x[:, 1:]), **good)
    with pytest.raises(Failed, match="TOO_SHORT: ridge: validation"):
        host.fit(wire.METHOD, "ridge", ("train", x), ("validation", x[:1]), **good)
    with pytest.raises(Failed, match="UNKNOWN: there is nothing of kind 1 called 'rigde' here; there is METHOD ridge"):
        host.fit_method("rigde", x)
    with pytest.raises(Failed, match="UNKNOWN"):
        host.fit_method("ridge", x, kind=wire.EMBEDDER)


def test_oracle_embedding(serve: Serve, x: Array) -> None:
    asked = []

    def embed(snapshots: Array) -> Array:
        asked.append(len(snapshots))
        return rows(snapshots)[:, :2] * 2

    def fit(training: Training) -> Any:
        z = training.oracle_embedding(training.train)
        assert z.dtype == np.float64
        np.testing.assert_array_equal(z, embed(training.train))
        return lambda s: s + training.oracle_embedding(s)[:, :1, None]

    host = serve(Given(fit, exposure="oracle"))
    fitted = host.fit_method("given", x, oracle_dim=2, embed=embed)
    predicted = host.apply(fitted.handle, wire.PREDICT, x, embed=embed)
    np.testing.assert_array_equal(predicted, (x + embed(x)[:, :1, None]).astype(np.float32))


def test_computed_seconds(serve: Serve, x: Array) -> None:
    """The time of the author's own code is told, without waiting for the host."""

    def embed(snapshots: Array) -> Array:
        time.sleep(0.4)
        return rows(snapshots)[:, :2]

    def fit(training: Training) -> Any:
        training.oracle_embedding(training.train)
        time.sleep(0.1)
        return lambda s: s

    host = serve(Given(fit, exposure="oracle"))
    fitted = host.fit_method("given", x, oracle_dim=2, embed=embed)
    assert 0.1 <= float(dict(host.trailing())["koopbench-computed-seconds"]) < 0.4
    host.apply(fitted.handle, wire.PREDICT, x)
    assert 0 <= float(dict(host.trailing())["koopbench-computed-seconds"]) < 0.1


def test_oracle_embedding_from_several_threads(serve: Serve, x: Array) -> None:
    def fit(training: Training) -> Any:
        results: dict[int, Array] = {}

        def ask(k: int) -> None:
            results[k] = training.oracle_embedding(training.train[k : k + 2])

        threads = [threading.Thread(target=ask, args=(k,)) for k in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for k in range(8):
            np.testing.assert_array_equal(results[k], rows(training.train[k : k + 2])[:, :1])
        return lambda s: s

    serve(Given(fit, exposure="oracle")).fit_method("given", x, oracle_dim=1, embed=lambda s: rows(s)[:, :1])


def test_oracle_embedding_that_fails(serve: Serve, x: Array) -> None:
    def fit(training: Training) -> Any:
        training.oracle_embedding(training.train)

    host = serve(Given(fit, exposure="oracle"))
    failure = wire.Failure(kind=wire.Failure.SHAPE, message="wrong images")
    with pytest.raises(Failed, match="SHAPE: the oracle's encoder: wrong images"):
        host.fit_method("given", x, oracle_dim=2, embed=lambda _: failure)
    with pytest.raises(Failed, match=r"CONTRACT: the host sent features of shape \(20, 3\) for 20 snapshots; there must be 2"):
        host.fit_method("given", x, oracle_dim=2, embed=lambda s: np.zeros((len(s), 3)))
    with pytest.raises(Failed, match="UNAVAILABLE: given: it needs the encoder of the oracle that judges, and that has none"):
        host.fit_method("given", x)


def test_what_is_not_declared_is_not_passed_on(serve: Serve, x: Array) -> None:
    seen: list[Training] = []

    def fit(training: Training) -> Any:
        seen.append(training)
        return lambda s: s

    labels = np.zeros(20, np.int64)
    arrays = [("train", x), ("validation", x), ("train_labels", labels), ("validation_labels", labels)]
    serve(Given(fit)).fit(wire.METHOD, "given", *arrays, lag=1, states=2, oracle_dim=3)
    assert (seen[0].train_labels, seen[0].validation_labels, seen[0].oracle_dim) == (None, None, 0)
    with pytest.raises(UnavailableError, match='declare exposure = "oracle"'):
        seen[0].oracle_embedding(x)


@pytest.mark.parametrize("by", ["deadline", "cancel", "connection"])
def test_cancellation(serve: Serve, x: Array, by: str) -> None:
    started, ended = threading.Event(), threading.Event()

    def fit(training: Training) -> Any:
        started.set()
        try:
            while not ended.wait(0.01):
                try:
                    training.check()
                except Exception:
                    pytest.fail("Cancelled must not be an Exception")
        except Cancelled:
            assert training.cancelled
            ended.set()
            raise

    host = serve(Given(fit))
    frames = fit_frames(wire.METHOD, "given", ("train", x), ("validation", x), lag=1, states=2)
    call = host.call("Fit", frames, timeout=0.5 if by == "deadline" else None)
    assert started.wait(10)
    if by == "cancel":
        call.cancel()
    elif by == "connection":
        host.channel.close()
    assert ended.wait(10)
    with pytest.raises(grpc.RpcError):
        next(call)


def test_progress_ends_a_cancelled_fit(serve: Serve, x: Array) -> None:
    ended = threading.Event()

    def fit(training: Training) -> Any:
        try:
            for k in range(10**9):
                training.advance(k)  # no one reads: it waits, then ends
        finally:
            ended.set()

    host = serve(Given(fit))
    frames = fit_frames(wire.METHOD, "given", ("train", x), ("validation", x), lag=1, states=2)
    call = host.call("Fit", frames, timeout=0.5)
    assert ended.wait(10)
    call.cancel()


def test_fits_take_turns(serve: Serve, x: Array) -> None:
    inside = threading.Lock()

    def fit(training: Training) -> Any:
        assert inside.acquire(blocking=False), "two fits at a time"
        np.random.seed(training.seed)  # the global generator
        drawn = np.random.normal()
        threading.Event().wait(0.05)
        drawn += np.random.normal()
        inside.release()
        return lambda s: np.full(s.shape, drawn)

    host = serve(Given(fit))

    def predicted(seed: int) -> float:
        fitted = host.fit_method("given", x, seed=seed)
        return float(host.apply(fitted.handle, wire.PREDICT, x)[0, 0, 0])

    alone = [predicted(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(predicted, range(4))) == alone
    assert len(set(alone)) == 4


def test_a_fit_that_waits_for_its_turn_can_be_cancelled(serve: Serve, x: Array) -> None:
    begun: list[int] = []
    started, go_on = threading.Event(), threading.Event()

    def fit(training: Training) -> Any:
        begun.append(training.seed)
        started.set()
        assert go_on.wait(10)
        return lambda s: s

    host = serve(Given(fit))

    def call(seed: int) -> Any:
        return host.call("Fit", fit_frames(wire.METHOD, "given", ("train", x), ("validation", x), lag=1, states=2, seed=seed))

    first = call(1)
    assert started.wait(10)
    second = call(2)
    threading.Event().wait(0.2)
    second.cancel()
    with pytest.raises(grpc.RpcError):
        next(second)
    threading.Event().wait(0.3)  # longer than it looks away
    go_on.set()
    assert next(first).WhichOneof("content") == "fitted"
    host.fit_method("given", x, seed=3)
    assert begun == [1, 3]


def test_one_fitted_thing_runs_on_one_thread(serve: Serve, x: Array) -> None:
    idents: list[int] = []
    inside = threading.Lock()

    def fit(training: Training) -> Any:
        idents.append(threading.get_ident())

        def predict(s: Array) -> Array:
            assert inside.acquire(blocking=False), "two calls at a time"
            idents.append(threading.get_ident())
            threading.Event().wait(0.02)
            inside.release()
            return s

        return predict

    host = serve(Given(fit))
    fitted = host.fit_method("given", x)
    failures = []

    def apply() -> None:
        try:
            host.apply(fitted.handle, wire.PREDICT, x)
        except Failed as failed:
            failures.append(failed)

    threads = [threading.Thread(target=apply) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    assert len(idents) == 7
    assert len(set(idents)) == 1


def test_release(serve: Serve, x: Array) -> None:
    host = serve(Given(lambda _: lambda s: s), Pca())
    before = threading.active_count()
    handles = [host.fit_method("given", x).handle for _ in range(5)]
    host.release(handles[0])
    host.release(handles[0])
    host.release(12345)
    with pytest.raises(Failed, match=f"UNKNOWN: nothing fitted has the handle {handles[0]}"):
        host.apply(handles[0], wire.PREDICT, x)
    np.testing.assert_array_equal(host.apply(handles[1], wire.PREDICT, x), x)
    for handle in handles:
        host.release(handle)
    assert until(lambda: threading.active_count() <= before + 16), "threads of released things end"


def test_a_things_state_is_copied(serve: Serve, x: Array) -> None:
    class Counts(Method):
        name = "counts"
        summary = "counts its fits"

        def __init__(self) -> None:
            self.fits: list[int] = []

        def __deepcopy__(self, memo: dict[int, Any]) -> Counts:
            other = Counts()
            other.fits = copy.deepcopy(self.fits)
            return other

        def fit(self, training: Training) -> Any:
            self.fits.append(1)
            training.report.rank = len(self.fits)
            return lambda s: s

    host = serve(Counts())
    assert [host.fit_method("counts", x).report.rank for _ in range(3)] == [1, 1, 1]


def test_a_report_that_cannot_be_sent(serve: Serve, x: Array) -> None:
    def fit(training: Training) -> Any:
        training.report.rank = -1
        return lambda s: s

    with pytest.raises(Failed, match="CONTRACT: given: the report .*rank=-1.* cannot be sent"):
        serve(Given(fit)).fit_method("given", x)


def test_counts_come_through_whole(serve: Serve, x: Array) -> None:
    most = 2**53

    def fit(training: Training) -> Any:
        training.phase("training", np.int64(3_000_000_000))  # type: ignore[arg-type]
        training.advance(2**31)
        training.epoch(2**31, 1.0)
        training.report.rank = 2**31
        training.report.parameters = most
        return lambda s: s

    fitted = serve(Given(fit)).fit_method("given", x)
    assert fitted.phases == [("training", 3_000_000_000)]
    assert fitted.advances == [2**31]
    assert [e.number for e in fitted.epochs] == [2**31]
    assert [e.number for e in fitted.report.history] == [2**31]
    assert (fitted.report.rank, fitted.report.parameters) == (2**31, most)


@pytest.mark.parametrize("value", [-1, 2**53 + 1, 2**64, 1.5, math.nan, math.inf, "7", None])
@pytest.mark.parametrize(
    ("count", "do"),
    [
        ("total of the phase 'training'", lambda t, n: t.phase("training", n)),
        ("progress", lambda t, n: t.advance(n)),
        ("number of an epoch", lambda t, n: t.epoch(n, 1.0)),
        ("rank", lambda t, n: setattr(t.report, "rank", n)),
        ("number of parameters", lambda t, n: setattr(t.report, "parameters", n)),
    ],
)
def test_counts_that_cannot_be_sent(
    serve: Serve, x: Array, count: str, do: Callable[[Training, Any], None], value: object
) -> None:
    def fit(training: Training) -> Any:
        do(training, value)
        return lambda s: s

    text = re.escape(f"a {count} of {value!r}; it must be a whole number in 0 … 9007199254740992")
    with pytest.raises(Failed, match=f"CONTRACT: .*{text}"):
        serve(Given(fit)).fit_method("given", x)


def test_checkpoints(serve: Serve, x: Array) -> None:
    host = serve(Descent())
    options = {"epochs": 5, "lr": 0.5}
    silent = host.fit_method("descent", x, options=options, seed=1)
    assert not silent.checkpoints, "the host keeps none"
    whole = host.fit_method("descent", x, options=options, seed=1, checkpoint_seconds=1e-9)
    assert [name for name, _ in whole.checkpoints] == ["training"] * 5
    kept = whole.checkpoints[2][1]
    assert kept["epoch"] == 3
    assert kept["epoch"].shape == ()
    rest = host.fit_method("descent", x, options=options, seed=1, checkpoint_seconds=3600.0, checkpoints={"training": kept})
    assert [e.number for e in rest.epochs] == [4, 5], "it went on after the third"
    assert not rest.checkpoints, "none is due"
    assert [e.number for e in rest.report.history] == [1, 2, 3, 4, 5]
    assert list(rest.report.history) == list(silent.report.history)
    for fitted in (whole, rest):
        np.testing.assert_array_equal(
            host.apply(fitted.handle, wire.PREDICT, x),
            host.apply(silent.handle, wire.PREDICT, x),
            "the bits of an undisturbed fit",
        )


@pytest.mark.parametrize(
    ("arrays", "name", "message"),
    [
        ({"a": np.zeros(2, np.float16)}, "training", "is of float16; it must be"),
        ({"a b": np.zeros(2)}, "training", "is called 'a b'"),
        ({"a": np.zeros(2)}, "Training", "a name is 1 to 40"),
        ({"koopbench.history": np.zeros((1, 3))}, "training", "is the package's own"),
        ({str(k): np.zeros(1) for k in range(4097)}, "training", "4097 arrays of 32776 bytes; the most is 4096"),
    ],
)
def test_checkpoints_that_cannot_be_stored(arrays: dict[str, Array], name: str, message: str) -> None:
    training = Training(train=np.zeros((2, 1), np.float32), validation=np.zeros((2, 1), np.float32))
    with pytest.raises(ContractError, match=message):
        training.store_checkpoint(arrays, name)
    training.store_checkpoint({"a": [1.0, 2.0], "b": np.uint8(3)})  # outside the benchmark nothing is kept


class _Prepared(Method):
    """It is prepared."""

    name = "prepared"
    summary = "counts how often it is prepared"

    def __init__(self) -> None:
        self.events: list[str] = []

    def prepare(self) -> None:
        self.events.append("prepare")
        if os.environ.get("PREPARE_FAILS"):
            raise UnavailableError("no compiler")
        time.sleep(0.001)

    def fit(self, training: Training) -> Callable[[Snapshots], Snapshots]:
        training.report.compile_seconds = 10.0
        training.report.warnings += self.events
        return lambda snapshots: snapshots

    def load(self, saved: Saved) -> Callable[[Snapshots], Snapshots]:
        return lambda snapshots: snapshots


def test_prepare_comes_once_before_the_first_fit(serve: Serve, x: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    served = _Prepared()
    host = serve(served)
    host.describe()
    assert served.events == []
    monkeypatch.setenv("PREPARE_FAILS", "1")
    with pytest.raises(Failed, match="UNAVAILABLE: no compiler"):
        host.fit_method("prepared", x)
    monkeypatch.delenv("PREPARE_FAILS")
    first, second = (host.fit_method("prepared", x).report for _ in range(2))
    assert served.events == ["prepare"] * 2, "once more after it failed, and never again"
    assert list(first.warnings) == ["prepare"] * 2, "the fit's copy is made afterwards"
    assert first.compile_seconds > 10.0, "the author's 10 s, and the time of prepare"
    assert second.compile_seconds == 10.0


def test_prepare_comes_before_the_first_load_and_evaluation(serve: Serve, x: Array, z: Array) -> None:
    served, squares = _Prepared(), Squares()
    events: list[str] = []
    squares.prepare = lambda: events.append("prepare")  # type: ignore[method-assign]
    host = serve(served, squares)
    state = wire.State(facts=b'{"snapshot": [3, 4], "facts": {}}')
    for _ in range(2):
        host.exchange("Fit", [wire.Frame(load=wire.LoadCall(kind=wire.METHOD, name="prepared", state=state))], "fitted")
        host.evaluate("squares", z, z, weight=1.0)
    assert served.events == events == ["prepare"]


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"compile_seconds": math.nan}, "compile_seconds is nan; it must be a number in 0 … 1000000000"),
        ({"compile_seconds": math.inf}, "compile_seconds is inf"),
        ({"compile_seconds": -1}, "compile_seconds is -1"),
        ({"rank": math.inf}, "cannot be sent"),
        ({"untrained": "ä" * 4097}, "why the fit is untrained has 8194 bytes; the most is 8192"),
        ({"warnings": ["a" * 8193]}, "warning 1 has 8193 bytes; the most is 8192"),
        ({"warnings": [""] * 1001}, "there are 1001 warnings; the most is 1000"),
        ({"history": [Epoch(0, 1.0)]}, "entry 1 of the history is epoch 0, after epoch 0"),
        ({"history": [Epoch(2, 1.0), Epoch(2, 1.0)]}, "entry 2 of the history is epoch 2, after epoch 2"),
        ({"history": [Epoch(1, 1.0)] * 1_000_001}, "the history has 1000001 epochs; the most is 1000000"),
    ],
)
def test_bad_reports(serve: Serve, x: Array, attributes: dict[str, Any], says: str) -> None:
    def fit(training: Training) -> Any:
        for name, value in attributes.items():
            setattr(training.report, name, value)
        return lambda snapshots: snapshots

    with pytest.raises(Failed, match=f"CONTRACT: given: .*{says}"):
        serve(Given(fit)).fit_method("given", x)
