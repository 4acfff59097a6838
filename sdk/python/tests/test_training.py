from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from host import Array

from koopbench_plugin import ContractError, OperatorTraining, ShapeError, Training, UnavailableError


def training(seed: int = 0, name: str = "m") -> Training:
    x = np.arange(10, dtype=np.float32).reshape(10, 1)
    return Training(train=x, validation=x[:6], lag=3, seed=seed, name=name)


def test_pairs_are_a_lag_apart() -> None:
    t = training()
    for (x, y), n in ((t.pairs(), 7), (t.validation_pairs(), 3)):
        assert x.shape == (n, 1)
        np.testing.assert_array_equal(y - x, 3)


def test_no_pair_crosses_the_end_of_a_trajectory() -> None:
    x = np.arange(10, dtype=np.float32).reshape(10, 1)
    t = Training(train=x, validation=x, train_lengths=[4, 1, 5], validation_lengths=np.array([9, 1]), lag=2)  # type: ignore[arg-type]
    assert [len(p) for p in t.trajectories] == [4, 1, 5]
    assert all(np.shares_memory(p, x) for p in t.trajectories)
    assert [p.ravel().tolist() for p in t.pairs()] == [[0, 1, 5, 6, 7], [2, 3, 7, 8, 9]]
    assert not any(p.flags.writeable for p in t.pairs())
    assert [p.ravel().tolist() for p in t.validation_pairs()] == [[0, 1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 6, 7, 8]]
    assert [len(p) for p in t.validation_trajectories] == [9, 1]

    z = np.arange(10.0).reshape(10, 1)
    o = OperatorTraining(features=z, observable=-z, lengths=[4, 1, 5], lag=2)
    assert [len(p) for p in o.trajectories] == [4, 1, 5]
    assert [p.ravel().tolist() for p in o.pairs()] == [[0, 1, 5, 6, 7], [2, 3, 7, 8, 9]]
    assert o.pair_starts().tolist() == [0, 1, 5, 6, 7]
    assert OperatorTraining(features=z, lag=8).pair_starts().tolist() == [0, 1]


@pytest.mark.parametrize("lengths", [[4, 5], [4, 7], [11, -1], []])
def test_lengths_add_up(lengths: list[int]) -> None:
    x = np.zeros((10, 1), np.float32)
    t = Training(train=x, validation=x, train_lengths=lengths)
    with pytest.raises(
        ShapeError, match=f"train: the lengths of {len(lengths)} trajectories add up to {sum(lengths)}, and there"
    ):
        t.pairs()


def test_one_trajectory_is_not_copied() -> None:
    t = training()
    assert [p is t.train for p in t.trajectories] == [True]
    assert all(np.shares_memory(p, t.train) for p in t.pairs())


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


def test_load_knows_where_trajectories_end(tmp_path: Path) -> None:
    x = np.arange(10, dtype=np.float32).reshape(10, 1)
    data = {"train": x, "validation": x[:4], "lag": 2, "states": 3, "train_lengths": np.array([4, 1, 5])}
    np.savez(tmp_path / "training.npz", **data)  # type: ignore[arg-type]
    t = Training.load(tmp_path / "training.npz")
    assert t.train_lengths == [4, 1, 5]
    assert t.validation_lengths is None
    assert [p.ravel().tolist() for p in t.pairs()] == [[0, 1, 5, 6, 7], [2, 3, 7, 8, 9]]
    assert len(t.validation_pairs()[0]) == 2

    np.savez(tmp_path / "bad.npz", **{**data, "validation_lengths": np.array([3, 2])})  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="validation: the lengths of 2 trajectories add up to 5, and there are 4 rows"):
        Training.load(tmp_path / "bad.npz")
