"""What a task opens: data, what is known of them, and what judges predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from koopbench_plugin.training import Matrix, Snapshots

Picture = Literal["curve", "image", "line", "plane", "series"]

Sequences = npt.ArrayLike | Sequence[npt.ArrayLike]
"""An array of snapshots, first axis time, or a list of such arrays for several trajectories."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What the scores of a problem mean."""

    name: str
    """1 to 40 lower-case letters, digits and hyphens, a letter first: "distance"."""
    summary: str
    """One line without a full stop."""
    unit: str = ""
    """Empty for a plain number."""
    lower_is_better: bool = False
    least: float = -math.inf
    """No score is below it."""
    most: float = math.inf
    """No score is above it."""
    chance: float = math.nan
    """The score of guessing; not a number if it is not known."""
    root_mean_square: bool = False
    """Scores of several starts and steps are taken together by the root of the mean of their squares, not by their mean.

    ``least`` is then 0.
    """


class Score(Protocol):
    """What judges the predictions of a problem.

    It may also have ``fit(seed)``, which is called once before the first score, on a copy of the object that :func:`copy.copy`
    made. It learns what judges from data that it has, with all randomness from the seed, and returns an object that has
    ``score``, or nothing if it has that itself.
    """

    @property
    def measure(self) -> Measure:
        """What the scores mean."""

    def score(self, step: int, predicted: Snapshots, /) -> npt.ArrayLike:
        """Returns a number for each start: how good what is predicted for it is at a step, counted from 1.

        Predicted has a snapshot for each start, in their order. A number depends on the start, the step and its prediction alone.
        """


@dataclass(kw_only=True)
class States:
    """The true states of the snapshots of a problem, numbers in 0 … count-1."""

    count: int
    """How many states there are."""
    word: str = ""
    """What one of them is called, "state" if it is empty."""
    train: npt.ArrayLike
    """(n,) the states of the training snapshots, all trajectories one after the other."""
    validation: npt.ArrayLike
    test: npt.ArrayLike
    expected: npt.ArrayLike
    """(steps, starts) the true state of what follows each start, at each step of the roll-out."""


@dataclass(kw_only=True)
class Problem:
    """What :meth:`koopbench_plugin.Task.open` returns. Equal options give equal bits, in another process too.

    Predictions are judged by ``score``; or by ``future``; or, if there is neither, by an oracle that learns ``states``.
    """

    train: Sequences
    """What methods learn from: an array ``(time, axes of one snapshot…)``, or a list of such arrays for several trajectories.

    Numbers become float32.
    """
    validation: Sequences
    """What methods may score themselves on."""
    test: Sequences
    """What methods never see. No pair of snapshots crosses the end of a trajectory."""
    lag: int = 1
    """How many snapshots one step spans."""
    steps: int
    """How many steps a roll-out has, 1 to 1000."""
    rank: int
    """The usual rank or number of features for the task: what a method sees as ``training.states``."""
    starts: npt.ArrayLike | None = None
    """(starts,) indices of the test snapshots from which roll-outs begin, trajectories one after the other; None for all."""
    states: States | None = None
    """The true states of the snapshots, if there are finitely many and they are known."""
    eigenvalues: npt.ArrayLike | None = None
    """(r,) the largest eigenvalues of the true evolution operator at the lag, if they are known, in any order."""
    leading: int = 0
    """How many of them, the largest, estimates are held against; 0 for all."""
    eigenfunctions: npt.ArrayLike | None = None
    """(k, test snapshots) the true eigenfunctions of the first k eigenvalues, each up to a factor, if they are known.

    Eigenvalues must then be in descending order of modulus.
    """
    density: npt.ArrayLike | None = None
    """(test snapshots,) the invariant density at the test snapshots, if it is known beside eigenvalues."""
    interval: float = 1
    """The time from one snapshot to the next, in the unit."""
    time_unit: str = ""
    """The unit of time: "s", "Lyapunov times"; empty for snapshots."""
    valid_up_to: float = 0
    """The score up to which a prediction is valid, if lower scores are better; 0 for none.

    The valid time of a roll-out is the time of the steps before the first one beyond it.
    """
    source: str = ""
    """Where the data come from, for the reader: a noun such as "a simulation"."""
    picture: Picture = "curve"
    """How snapshots are drawn.

    "image" of grey values, the first axis from top to bottom; "curve" of the values of one snapshot; "series" of the values
    against time; "plane" and "line" are series, and also points: in the plane of the first and the last value, or, for
    snapshots of one number, on a line.
    """
    score: Score | None = None
    """What judges predictions: an object with ``measure`` and ``score(step, predicted)``."""
    future: npt.ArrayLike | None = None
    """(steps, starts, axes of one snapshot…) the true snapshots that follow each start, in the place of score.

    The measure is then ``nrmse``, the normalised root mean squared error. The score of a start and step is
    ``norm(p - x) / sqrt(x.size * v)`` for the prediction p of the true snapshot x, where v is ``test.var(axis=0).mean()``: at
    least 0, lower is better. Predictions by the mean of the test snapshots have about 1 together.
    """


class FutureError:
    """The score of true futures, see :attr:`Problem.future`."""

    measure = Measure(
        name="nrmse",
        summary="error of the prediction, in standard deviations of the test snapshots",
        lower_is_better=True,
        least=0,
        chance=1,
        root_mean_square=True,
    )

    def __init__(self, future: Snapshots, variance: float) -> None:
        self._future = future
        self._variance = variance

    def score(self, step: int, predicted: Snapshots) -> Matrix:
        """Returns the normalised error of each prediction."""
        error = (predicted.astype(np.float64) - self._future[step - 1]).reshape(len(predicted), -1)
        scores: Matrix = np.sqrt(np.square(error).mean(axis=1) / self._variance)
        return scores
