#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.10"
# dependencies = ["koopbench", "numpy"]
#
# [tool.uv.sources]
# koopbench = { path = "../../sdk/python" }
# ///
"""A plugin of koopbench in Python: a task, the Lorenz system."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from koopbench_plugin import IntOption, Problem, Task, serve


def slope(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.array([10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]])


class Lorenz(Task):
    """Lorenz, Deterministic nonperiodic flow, Journal of the Atmospheric Sciences 20, 1963, with sigma 10, rho 28, beta 8/3.

    Runge and Kutta's steps of fourth order are of 0.01 time units, and a snapshot is taken every 5 of them.
    """

    name = "python-lorenz"
    summary = "the Lorenz system, a chaotic flow in three dimensions, in Python"
    options = (IntOption("steps", 20, 1, 100, "steps of a roll-out"), IntOption("data_seed", 42, 0, 10**9, "where it begins"))

    def open(self, options: Mapping[str, Any]) -> Problem:
        steps, path = options["steps"], []
        x = np.random.default_rng(options["data_seed"]).normal(size=3)
        for _ in range(8500):
            a = slope(x)
            b = slope(x + 0.005 * a)
            c = slope(x + 0.005 * b)
            x = x + 0.01 / 6 * (a + 2 * b + 2 * c + slope(x + 0.01 * c))
            path.append(x)
        train, held, test = np.split(np.array(path[500::5]), [1000, 1300])  # the first are on the way to the attractor
        starts = np.arange(len(test) - steps)
        future = np.array([test[starts + k] for k in range(1, steps + 1)])
        source = "a simulation by Runge and Kutta's method"
        return Problem(train=train, validation=held, test=test, starts=starts, future=future, steps=steps, rank=10, source=source)


if __name__ == "__main__":
    serve(Lorenz(), version="1.0.0")
