from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from host import Array

from koopbench_plugin import ContractError, OperatorTraining, Training, UnavailableError


def training(seed: int = 0, name: str = "m") -> Training:
    x = np.arange(10, dtype=np.float32).reshape(10, 1)
    return Training(train=x, validation=x[:6], lag=3, seed=seed, name=name)


def test_pairs_are_a_lag_apart() -> None:
    t = training()
    for (x, y), n in ((t.pairs(), 7), (t.validation_pairs(), 3)):
        assert x.shape == (n, 1)
        np.testing.assert_array_equal(y - x, 3)


def test_streams() -> None:
    def draw(seed: int, name: str, purpose: str) -> Array:
        return training(seed, name).rng(purpose).normal(size=1000)

    streams = [
        draw(seed, name, purpose)
        for seed in (0, 1, -1, 2**63 - 1, -(2**63))
        for name, purpose in (("m", "init"), ("m", "shuffle"), ("mi", "nit"), ("", "minit"))
    ]
    np.testing.assert_array_equal(streams[0], draw(0, "m", "init"))
    correlations = np.corrcoef(streams) - np.eye(len(streams))
    assert np.abs(correlations).max() < 0.2, "streams of different keys are independent"


def test_streams_do_not_depend_on_one_another() -> None:
    t = training()
    t.rng("shuffle").normal(size=5)
    np.testing.assert_array_equal(t.rng("init").normal(size=5), training().rng("init").normal(size=5))


def test_report() -> None:
    t = training()
    t.phase("training", 2)
    t.advance(1)
    t.epoch(1, 0.5)
    t.epoch(2, np.float32(0.25), 0.75)  # type: ignore[arg-type]
    t.warn("careful")
    t.check()
    assert not t.cancelled
    assert [(e.number, e.train) for e in t.report.history] == [(1, 0.5), (2, 0.25)]
    assert math.isnan(t.report.history[0].validation)
    assert t.report.warnings == ["careful"]
    assert training().report.warnings == [], "reports are not shared"


def test_no_oracle() -> None:
    t = training()
    with pytest.raises(UnavailableError, match='declare exposure = "oracle"'):
        t.oracle_embedding(t.train)
    t.oracle_dim = 2
    with pytest.raises(UnavailableError, match="outside the benchmark"):
        t.oracle_embedding(t.train)


def test_operator_training() -> None:
    t = OperatorTraining(features=np.zeros((3, 2)))
    assert (t.lag, t.precision, t.observable) == (1, np.finfo(float).eps, None)


def test_load_names_what_is_missing(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", train=np.zeros((2, 1)), lag=1)
    with pytest.raises(ContractError, match=r"other.npz: it has no array 'states'; bench data --out FILE.npz"):
        Training.load(tmp_path / "other.npz")
