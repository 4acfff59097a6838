"""Tests of the plugin: the task by itself, and the program by a small host."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import plugin
import pytest

from koopbench_plugin import Problem

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "sdk" / "python" / "tests"))


def opened(**options: Any) -> Problem:
    task = plugin.Lorenz()
    return task.open(task.resolve(**options))


def test_the_data() -> None:
    p = opened()
    assert [np.asarray(part).shape for part in (p.train, p.validation, p.test)] == [(1000, 3), (300, 3), (300, 3)]
    x = np.concatenate([np.asarray(part) for part in (p.train, p.validation, p.test)])
    # The attractor lies around its two unstable points, which it visits equally, and the mean of z is 23.55.
    np.testing.assert_allclose(x.mean(axis=0), [0, 0, 23.55], atol=1.5)
    assert np.abs(x).max() < 55


def test_a_step_is_that_of_the_flow() -> None:
    def flow(x: npt.NDArray[np.float64], steps: int) -> npt.NDArray[np.float64]:
        for _ in range(steps):  # Heun's steps, which need to be shorter
            x = x + 0.05 / steps / 2 * (plugin.slope(x) + plugin.slope(x + 0.05 / steps * plugin.slope(x)))
        return x

    test = np.asarray(opened().test)
    for k in (0, 100, 200):
        np.testing.assert_allclose(flow(test[k], 2000), test[k + 1], atol=1e-3)


def test_the_future_is_that_of_each_start() -> None:
    p = opened(steps=7)
    test, starts, future = (np.asarray(a) for a in (p.test, p.starts, p.future))
    assert future.shape == (7, 293, 3)
    np.testing.assert_array_equal(future[6, -1], test[-1])
    np.testing.assert_array_equal(future[0], test[starts + 1])


def test_the_seed() -> None:
    once, again, other = (np.asarray(opened(data_seed=seed).train) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert np.abs(once - other).max() > 1


def test_the_program() -> None:
    from host import launch

    with launch(sys.executable, HERE / "plugin.py") as program:
        host = program.connect()
        problem, arrays = host.open("python-lorenz", steps=3, data_seed=42)
        assert problem.measure.name == "nrmse"
        scorer = host.fit_score(problem.handle)
        truth = arrays["test"][arrays["starts"] + 2]
        np.testing.assert_array_equal(host.score(scorer, 2, truth), 0)
        errors = host.score(scorer, 2, np.broadcast_to(arrays["test"].mean(0), truth.shape))
        assert np.square(errors).mean() == pytest.approx(1, rel=0.05)


def test_the_task_is_short() -> None:
    code = (HERE / "plugin.py").read_text().split('"""A plugin of koopbench', 1)[1]
    task = code.split("def slope", 1)[1].split("if __name__", 1)[0]
    without = [line for line in "".join(task.split('"""')[::2]).splitlines() if line.strip()]
    assert len(without) <= 21
