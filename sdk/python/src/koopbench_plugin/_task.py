"""What tasks give, made ready for the host: problems are checked, and so are scores."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from koopbench_plugin import _checks
from koopbench_plugin._arrays import AnyArray
from koopbench_plugin._call import Thread
from koopbench_plugin._counts import MOST
from koopbench_plugin.errors import ContractError, LabelError, OptionError, ShapeError, TooShortError
from koopbench_plugin.problem import FutureError, Measure, Problem, States
from koopbench_plugin.things import MAX_LINE, NAME
from koopbench_plugin.wire import plugin_pb2 as wire

MAX_STEPS = 1000
PICTURES = ("curve", "image", "line", "plane", "series")


class Opened:
    """A problem that a task opened, checked. It keeps no data but those of its score.

    Raises:
        ContractError: the problem breaks a rule.
        TooShortError: there is no pair to learn from.
        LabelError: a state is out of range.
    """

    def __init__(self, name: str, problem: Any, thread: Thread) -> None:
        self.name = name
        self.thread = thread
        if not isinstance(problem, Problem):
            raise ContractError(f"{name}: open returned a {type(problem).__name__}; it must return a Problem")
        self.reply = wire.Opened(
            lag=self._whole("lag", problem.lag, MOST),
            steps=self._whole("steps", problem.steps, MAX_STEPS),
            rank=self._whole("rank", problem.rank, MOST),
            source=self._text("source", problem.source, _checks.MAX_SENTENCE),
        )
        if problem.picture not in PICTURES:
            raise ContractError(f"{self._what('picture')} is {problem.picture!r}; it must be one of {', '.join(PICTURES)}")
        self.reply.picture = problem.picture
        self.arrays: list[tuple[str, AnyArray]] = []
        train = self._part("train", problem.train, self.reply.train_lengths)
        self.shape = train.shape[1:]
        validation = self._part("validation", problem.validation, self.reply.validation_lengths)
        test = self._part("test", problem.test, self.reply.test_lengths)
        self._pairs("train", self.reply.train_lengths)
        self._pairs("validation", self.reply.validation_lengths)
        self.starts = self._starts(problem.starts, len(test))
        if problem.states is not None:
            self._states(problem.states, [len(train), len(validation), len(test)])
        if problem.eigenvalues is not None:
            what = self._what("eigenvalues")
            values = _checks.attribute(what, problem.eigenvalues, np.complex128, (None,), "a vector of eigenvalues")
            values, order = _checks.spectrum(what, values)
            self.arrays.append(("eigenvalues", values))
            self.reply.leading = self._whole("leading", problem.leading, len(values), least=0)
            self._eigenfunctions(problem.eigenfunctions, order, len(test))
            self._density(problem.density, len(test))
        self._time(problem)
        self.score = self._score(problem, test)
        if self.score is not None:
            self.reply.measure.CopyFrom(_measure(self._what("score.measure"), self.score.measure))
        elif problem.states is None:
            raise ContractError(
                f"{name}: the Problem has neither score nor future nor states, and nothing can judge predictions; give one"
            )

    def _what(self, attribute: str) -> str:
        return f"{self.name}: Problem.{attribute}"

    def _eigenfunctions(self, functions: Any, order: AnyArray, tests: int) -> None:
        if functions is None:
            return
        what = self._what("eigenfunctions")
        values = _checks.attribute(what, functions, np.complex128, (None, tests), "a row of test snapshots for each eigenvalue")
        if not 1 <= len(values) <= len(order):
            raise ContractError(f"{what} are {len(values)}, of {len(order)} eigenvalues; there is one for each at most")
        if not np.array_equal(order, np.arange(len(order))):
            raise ContractError(
                f"{self._what('eigenvalues')} are in another order than by modulus, conjugate pairs side by side "
                "and the positive imaginary part first; with eigenfunctions they must be in that order"
            )
        self.arrays.append(("eigenfunctions", values))

    def _density(self, density: Any, tests: int) -> None:
        if density is None:
            return
        what = self._what("density")
        values = _checks.attribute(what, density, np.float64, (tests,), "a value for each test snapshot")
        if values.min() < 0:
            raise ContractError(f"{what} is {values.min()} at test snapshot {values.argmin()}; a density is not negative")
        self.arrays.append(("density", values))

    def _time(self, problem: Problem) -> None:
        for attribute, value in (("interval", problem.interval), ("valid_up_to", problem.valid_up_to)):
            if not isinstance(value, (int, float, np.integer, np.floating)) or not 0 <= value < np.inf:
                raise ContractError(f"{self._what(attribute)} is {value!r}; it must be a positive number")
        self.reply.interval = problem.interval
        self.reply.valid_up_to = problem.valid_up_to
        self.reply.time_unit = self._text("time_unit", problem.time_unit, _checks.MAX_SENTENCE)

    def _whole(self, attribute: str, value: Any, most: int, least: int = 1) -> int:
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not least <= value <= most:
            raise ContractError(f"{self._what(attribute)} is {value!r}; it must be a whole number in {least} … {most}")
        return int(value)

    def _text(self, attribute: str, value: Any, most: int) -> str:
        return _text(self._what(attribute), value, most)

    def _part(self, attribute: str, value: Any, lengths: Any) -> AnyArray:
        """Checks a part of the data, and notes its array and the lengths of its trajectories."""
        several = isinstance(value, (list, tuple))
        parts: list[AnyArray] = []
        for i, part in enumerate(value if several else [value]):
            what = self._what(f"{attribute}[{i}]" if several else attribute)
            shape = _checks.plain(f"{what} is", part).shape
            if len(shape) < 2 or 0 in shape[1:]:
                raise ContractError(
                    f"{what} has the shape {shape}; snapshots have a time axis and at least one other, which is not empty: "
                    "array[:, None] makes snapshots of single numbers"
                )
            array = _checks.attribute(what, part, np.float32, (None, *shape[1:]), "snapshots")
            first = parts[0] if parts else self.arrays[0][1] if self.arrays else array
            if array.shape[1:] != first.shape[1:]:
                raise ContractError(
                    f"{what} has snapshots of the shape {array.shape[1:]}, and others have {first.shape[1:]}; all must have one"
                )
            parts.append(array)
            lengths.append(len(array))
        if not sum(lengths):
            raise ContractError(
                f"{self._what(attribute)} is empty; a problem needs data to train on, to validate on, and to test on"
            )
        joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self.arrays.append((attribute, joined))
        return joined

    def _pairs(self, attribute: str, lengths: Any) -> None:
        if max(lengths) <= self.reply.lag:
            raise TooShortError(
                f"{self._what(attribute)} has no pair of snapshots at a lag of {self.reply.lag}: its longest trajectory has "
                f"{max(lengths)}"
            )

    def _starts(self, value: Any, tests: int) -> int:
        """Checks the starts, and returns their number."""
        if value is None:
            return tests
        what = self._what("starts")
        starts = _checks.attribute(what, value, np.int64, (None,), "a vector of indices of test snapshots")
        if not len(starts):
            raise ContractError(f"{what} is empty; None stands for all test snapshots")
        wrong = np.flatnonzero((starts < 0) | (starts >= tests))
        if wrong.size:
            raise ContractError(f"{what}[{wrong[0]}] is {starts[wrong[0]]}; the test snapshots are 0 … {tests - 1}")
        self.arrays.append(("starts", starts))
        return len(starts)

    def _states(self, states: Any, lengths: list[int]) -> None:
        if not isinstance(states, States):
            raise ContractError(f"{self._what('states')} is a {type(states).__name__}; it must be a States")
        self.reply.states = self._whole("states.count", states.count, MOST)
        self.reply.word = self._text("states.word", states.word, MAX_LINE)
        shapes = [(n,) for n in lengths] + [(self.reply.steps, self.starts)]
        meanings = ["a state for each snapshot"] * 3 + ["a state for each step and start"]
        for part, shape, meaning in zip(("train", "validation", "test", "expected"), shapes, meanings):
            what = self._what(f"states.{part}")
            values = _checks.attribute(what, getattr(states, part), np.int64, shape, meaning)
            wrong = np.argwhere((values < 0) | (values >= states.count))
            if wrong.size:
                at = tuple(int(i) for i in wrong[0])
                raise LabelError(f"{what}{list(at)} is {values[at]}; states are in 0 … {states.count - 1}")
            self.arrays.append((f"{part}_states", values))

    def _score(self, problem: Problem, test: AnyArray) -> Any:
        if problem.future is None:
            score: Any = problem.score
            if score is not None and not callable(getattr(score, "score", None)):
                raise ContractError(f"{self._what('score')} is a {type(score).__name__}, which has no method score; add it")
            return score
        if problem.score is not None:
            raise ContractError(f"{self.name}: the Problem has a score and a future, and one of them must judge; leave one out")
        shape = (self.reply.steps, self.starts, *self.shape)
        future = _checks.attribute(self._what("future"), problem.future, np.float32, shape, "a snapshot for each step and start")
        variance = float(test.astype(np.float64).var(axis=0).mean())
        if not variance > 0:
            raise ContractError(f"{self._what('test')} has the variance {variance}, by which no error can be divided")
        return FutureError(future, variance)

    def fit(self, seed: int, thread: Thread) -> Scorer:
        """Fits the score, on that thread."""
        score, what = copy.copy(self.score), f"{self.name}: {type(self.score).__name__}.fit"
        if callable(getattr(score, "fit", None)):
            fitted = score.fit(seed)
            score = score if fitted is None else fitted
            if not callable(getattr(score, "score", None)):
                raise ContractError(f"{what} returned a {type(score).__name__}, which has no method score")
        return Scorer(self, score, thread)


class Scorer:
    """A score that was fitted."""

    def __init__(self, opened: Opened, score: Any, thread: Thread) -> None:
        self.thread = thread
        self._name = opened.name
        self._score = score
        self._measure = opened.reply.measure
        self._steps = opened.reply.steps
        self._shape = (opened.starts, *opened.shape)

    def check(self, step: int, predicted: AnyArray) -> AnyArray:
        """Checks what the host asks."""
        if not 1 <= step <= self._steps:
            raise OptionError(f"{self._name}: step {step} of a roll-out of {self._steps} steps, which are counted from 1")
        predicted = _checks.snapshots(self._name, predicted)
        if predicted.shape != self._shape:
            raise ShapeError(f"{self._name}: predictions of the shape {predicted.shape}; those for all starts have {self._shape}")
        return predicted

    def score(self, step: int, predicted: AnyArray) -> tuple[str, AnyArray]:
        """Returns the scores of predictions."""
        what = f"{self._name}: score"
        value = self._score.score(step, predicted)
        scores = _checks.returned(what, value, np.float64, (len(predicted),), "a number for each start")
        wrong = np.flatnonzero((scores < self._measure.least) | (scores > self._measure.most))
        if wrong.size:
            raise ContractError(
                f"{what} returned {scores[wrong[0]]} for start {wrong[0]} at step {step}; the measure "
                f"{self._measure.name!r} takes numbers in {self._measure.least} … {self._measure.most}"
            )
        return "scores", scores


def _measure(what: str, measure: Any) -> wire.Measure:
    if not isinstance(measure, Measure):
        raise ContractError(f"{what} is a {type(measure).__name__}; it must be a Measure")
    if not isinstance(measure.name, str) or not NAME.fullmatch(measure.name):
        raise ContractError(
            f"{what}.name is {measure.name!r}; it must be 1 to 40 lower-case letters, digits and hyphens, a letter first"
        )
    if not _text(f"{what}.summary", measure.summary, MAX_LINE):
        raise ContractError(f"{what}.summary is empty; say in one line what the scores mean")
    bounds: Mapping[str, float] = {"least": measure.least, "most": measure.most, "chance": measure.chance}
    for name, value in bounds.items():
        if not isinstance(value, (int, float, np.integer, np.floating)):
            raise ContractError(f"{what}.{name} is {value!r}; it must be a number")
    if not measure.least < measure.most:
        raise ContractError(f"{what} has scores in {measure.least} … {measure.most}, which is none; give the least first")
    if measure.chance < measure.least or measure.chance > measure.most:
        raise ContractError(
            f"{what}.chance is {measure.chance}, and scores are in {measure.least} … {measure.most}; give nan if it is not known"
        )
    if measure.root_mean_square and measure.least != 0:
        raise ContractError(f"{what} is taken together by squares, and its least score is {measure.least}; it must be 0")
    return wire.Measure(
        name=measure.name,
        summary=measure.summary,
        unit=_text(f"{what}.unit", measure.unit, MAX_LINE),
        lower_is_better=bool(measure.lower_is_better),
        least=measure.least,
        most=measure.most,
        chance=measure.chance,
        root_mean_square=bool(measure.root_mean_square),
    )


def _text(what: str, value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise ContractError(f"{what} is {value!r}; it must be a text")
    sent = _checks.text(value)
    if (n := len(sent.encode())) > most:
        raise ContractError(f"{what} has {n} bytes; the most is {most}")
    return sent
