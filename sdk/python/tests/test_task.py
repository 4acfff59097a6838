"""Tasks: what is sent of a problem, what judges, and what an author is told."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from conftest import Serve
from examples import Circle, Ridge
from host import Array, Failed, Host, until

from koopbench_plugin import IntOption, Measure, Problem, Score, States, Task
from koopbench_plugin.wire import plugin_pb2 as wire


class Given(Task):
    """Opens what the test says."""

    name = "given"
    summary = "whatever the test says"

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def open(self, options: Mapping[str, Any]) -> Any:
        return self._make()


def points(n: int, *shape: int) -> Array:
    return np.arange(n * math.prod(shape), dtype=np.float64).reshape(n, *shape) / 7


class Sum:
    """A score that keeps the sum of what is predicted."""

    measure = Measure(name="sum", summary="sum of all values", unit="m", least=-1e6, most=1e6)

    def __init__(self, result: Callable[[int, Array], Any] | None = None) -> None:
        self._result = result or (lambda step, predicted: step * predicted.reshape(len(predicted), -1).sum(1))

    def score(self, step: int, predicted: Array) -> Any:
        return self._result(step, predicted)


def problem(**changes: Any) -> Callable[[], Problem]:
    fields: dict[str, Any] = {
        "train": points(9, 2), "validation": points(6, 2), "test": points(5, 2), "steps": 2, "rank": 3, "score": Sum(),
    }  # fmt: skip
    return lambda: Problem(**(fields | changes))


def states(**changes: Any) -> States:
    fields: dict[str, Any] = {
        "count": 2, "train": [0] * 9, "validation": [0, 1] * 3, "test": [1] * 5, "expected": np.zeros((2, 5), int),
    }  # fmt: skip
    return States(**(fields | changes))


def test_what_is_sent(serve: Serve) -> None:
    host = serve(Circle())
    opened, arrays = host.open("circle", steps=4, angle=0.5)
    assert (opened.lag, opened.steps, opened.rank, opened.states, opened.word) == (1, 4, 2, 0, "")
    assert [list(n) for n in (opened.train_lengths, opened.validation_lengths, opened.test_lengths)] == [[30, 20], [20], [30]]
    assert (opened.source, opened.picture) == ("a circle", "curve")
    m = opened.measure
    assert (m.name, m.unit, m.lower_is_better, m.least, m.most, m.chance) == ("nrmse", "", True, 0, math.inf, 1)
    assert m.root_mean_square
    assert list(arrays) == ["train", "validation", "test", "starts", "eigenvalues"]
    angles = 0.5 * np.arange(100)
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    np.testing.assert_array_equal(np.concatenate([arrays[n] for n in ("train", "validation", "test")]), x)
    np.testing.assert_array_equal(arrays["starts"], np.arange(26))
    np.testing.assert_allclose(arrays["eigenvalues"], np.exp([0.5j, -0.5j]), err_msg="the positive imaginary part first")

    again, same = host.open("circle", steps=4, angle=0.5)
    assert again.handle != opened.handle
    assert all((same[n] == a).all() for n, a in arrays.items())


def test_the_error_of_the_future(serve: Serve) -> None:
    host = serve(Circle())
    opened, arrays = host.open("circle", steps=3, angle=0.3)
    handle = host.fit_score(opened.handle)
    test, starts = arrays["test"], arrays["starts"]
    predicted = test[starts] + np.float32(0.25)
    for step in (1, 3):
        truth = test[starts + step].astype(float)
        want = np.sqrt(np.square(predicted - truth).sum(1) / 2 / test.astype(float).var(axis=0).mean())
        np.testing.assert_allclose(host.score(handle, step, predicted), want, rtol=1e-12)
    np.testing.assert_array_equal(host.score(handle, 2, test[starts + 2]), 0)
    mean = np.broadcast_to(test.mean(0), (len(starts), 2)).astype(np.float32)
    assert np.square(host.score(handle, 1, mean)).mean() == pytest.approx(1, abs=0.1)


def test_all_that_a_problem_has(serve: Serve) -> None:
    given = states(word="side", expected=[[0] * 2, [1] * 2])
    functions = np.arange(5)[None] + 1j
    known = {"eigenvalues": [-1, 0.5], "leading": 1, "eigenfunctions": functions, "density": np.arange(5.0)}
    known |= {"interval": 0.25, "time_unit": "s"}
    host = serve(Given(problem(lag=2, starts=[4, 0], states=given, picture="image", score=None, **known)))
    opened, arrays = host.open("given")
    assert (opened.handle, opened.HasField("measure")) == (0, False), "nothing is kept"
    assert (opened.lag, opened.states, opened.word, opened.picture) == (2, 2, "side", "image")
    assert list(arrays) == [
        "train", "validation", "test", "starts", "train_states", "validation_states", "test_states", "expected_states",
        "eigenvalues", "eigenfunctions", "density",
    ]  # fmt: skip
    np.testing.assert_array_equal(arrays["expected_states"], [[0, 0], [1, 1]])
    np.testing.assert_array_equal(arrays["eigenvalues"], [-1, 0.5])
    np.testing.assert_array_equal(arrays["eigenfunctions"], functions)
    assert (opened.leading, opened.interval, opened.time_unit, opened.valid_up_to) == (1, 0.25, "s", 0)


def test_a_score_of_ones_own(serve: Serve) -> None:
    host = serve(Given(problem()))
    opened, _ = host.open("given")
    assert math.isnan(opened.measure.chance)
    handle = host.fit_score(opened.handle)
    np.testing.assert_allclose(host.score(handle, 2, points(5, 2).astype(np.float32)), 2 * points(5, 2).sum(1), rtol=1e-6)


@pytest.mark.parametrize("returns", [False, True])
def test_a_score_that_learns(serve: Serve, returns: bool) -> None:
    class Learns(Sum):
        seed = 0

        def fit(self, seed: int) -> Score | None:
            if returns:
                return Sum(lambda step, predicted: np.full(len(predicted), seed))
            self.seed = seed
            return None

        def score(self, step: int, predicted: Array) -> Any:
            return np.full(len(predicted), self.seed)

    host = serve(Given(problem(score=Learns())))
    opened, _ = host.open("given")
    first, second = (host.fit_score(opened.handle, seed) for seed in (7, 8))
    x = points(5, 2).astype(np.float32)
    assert [host.score(handle, 1, x)[0] for handle in (first, second)] == [7, 8], "fits are independent"


def fails(host: Host, **given: object) -> Failed:
    with pytest.raises(Failed) as caught:
        host.open("given", **given)
    return caught.value


long = "a" * 8193


@pytest.mark.parametrize(
    ("made", "kind", "says"),
    [
        (lambda: None, "CONTRACT", "given: open returned a NoneType; it must return a Problem"),
        (problem(test=points(0, 2)), "CONTRACT", "given: Problem.test is empty"),
        (problem(test=[]), "CONTRACT", "given: Problem.test is empty"),
        (problem(test=np.arange(5.0)), "CONTRACT", r"Problem.test has the shape (5,); snapshots have a time axis and at least"),
        (problem(test=points(5, 0)), "CONTRACT", "Problem.test has the shape (5, 0)"),
        (problem(test=[[1, 2], [3]]), "CONTRACT", "Problem.test[0] has the shape (2,)"),
        (problem(test=[[[1, 2], [3]]]), "CONTRACT", "Problem.test[0] is a list, which does not become an array"),
        (problem(test=points(5, 3)), "CONTRACT", "Problem.test has snapshots of the shape (3,), and others have (2,)"),
        (problem(train=[points(5, 2), points(5, 1)]), "CONTRACT", "Problem.train[1] has snapshots of the shape (1,), and"),
        (problem(validation=points(6, 2) + math.inf), "CONTRACT", "Problem.validation is an array that is not finite as float32"),
        (problem(train=points(9, 2) * 1j), "CONTRACT", "Problem.train is complex128; it must be snapshots, which "),
        (problem(lag=0), "CONTRACT", "Problem.lag is 0; it must be a whole number in 1 … "),
        (problem(lag=6), "TOO_SHORT", "Problem.validation has no pair of snapshots at a lag of 6: its longest"),
        (problem(lag=5, train=[points(5, 2)] * 9), "TOO_SHORT", "Problem.train has no pair of snapshots at a lag of 5"),
        (problem(steps=1001), "CONTRACT", "Problem.steps is 1001; it must be a whole number in 1 … 1000"),
        (problem(steps=True), "CONTRACT", "Problem.steps is True"),
        (problem(rank=2.5), "CONTRACT", "Problem.rank is 2.5"),
        (problem(starts=[]), "CONTRACT", "Problem.starts is float64; it must be a vector of indices"),
        (problem(starts=np.zeros(0, int)), "CONTRACT", "Problem.starts is empty; None stands for all test snapshots"),
        (problem(starts=[0, 5]), "CONTRACT", "Problem.starts[1] is 5; the test snapshots are 0 … 4"),
        (problem(starts=[[0]]), "CONTRACT", "Problem.starts is an array of shape (1, 1); it must be a vector of indices"),
        (problem(eigenvalues=[[1.0]]), "CONTRACT", "Problem.eigenvalues is an array of shape (1, 1)"),
        (problem(eigenvalues=[math.nan]), "CONTRACT", "Problem.eigenvalues is an array that is not finite as complex128"),
        (problem(source=long), "CONTRACT", "Problem.source has 8193 bytes; the most is 8192"),
        (problem(source=None), "CONTRACT", "Problem.source is None; it must be a text"),
        (problem(eigenvalues=[1.0], leading=2), "CONTRACT", "Problem.leading is 2; it must be a whole number in 0 … 1"),
        (problem(eigenvalues=[1.0], eigenfunctions=np.ones((1, 4))), "CONTRACT", "Problem.eigenfunctions is an array of sh"),
        (problem(eigenvalues=[1.0], eigenfunctions=np.ones((2, 5))), "CONTRACT", "Problem.eigenfunctions are 2, of 1 eigenv"),
        (problem(eigenvalues=[0.5, 1], eigenfunctions=np.ones((2, 5))), "CONTRACT", "Problem.eigenvalues are in another order"),
        (problem(eigenvalues=[1.0], density=np.full(5, -0.5)), "CONTRACT", "Problem.density is -0.5 at test snapshot 0"),
        (problem(interval=-1), "CONTRACT", "Problem.interval is -1; it must be a positive number"),
        (problem(valid_up_to=math.nan), "CONTRACT", "Problem.valid_up_to is nan; it must be a positive number"),
        (problem(time_unit=long), "CONTRACT", "Problem.time_unit has 8193 bytes"),
        (problem(picture="film"), "CONTRACT", "Problem.picture is 'film'; it must be one of curve, image, line, plane, series"),
        (problem(score=None), "CONTRACT", "has neither score nor future nor states, and nothing can judge predictions"),
        (problem(future=np.zeros((2, 5, 2))), "CONTRACT", "has a score and a future, and one of them must judge"),
        (problem(score=None, future=np.zeros((2, 4, 2))), "CONTRACT", "Problem.future is an array of shape (2, 4, 2); it must "
         "be a snapshot for each step and start, an array of shape (2, 5, 2)"),
        (problem(score=None, future=np.zeros((2, 5, 2)), test=np.ones((5, 2))), "CONTRACT", "Problem.test has the variance 0.0"),
        (problem(score=7), "CONTRACT", "Problem.score is a int, which has no method score; add it"),
        (problem(states=7), "CONTRACT", "Problem.states is a int; it must be a States"),
        (problem(states=states(count=0)), "CONTRACT", "Problem.states.count is 0"),
        (problem(states=states(word=7)), "CONTRACT", "Problem.states.word is 7; it must be a text"),
        (problem(states=states(train=[0] * 8)), "CONTRACT", "Problem.states.train is an array of shape (8,); it must be a state"),
        (problem(states=states(test=[0, 1, 2, 1, 0])), "LABEL", "Problem.states.test[2] is 2; states are in 0 … 1"),
        (problem(states=states(expected=np.zeros((1, 5), int))), "CONTRACT", "Problem.states.expected is an array of shape (1"),
        (problem(states=states(expected=np.full((2, 5), -1))), "LABEL", "Problem.states.expected[0, 0] is -1"),
    ],
)  # fmt: skip
def test_problems_that_cannot_be(serve: Serve, made: Callable[[], Any], kind: str, says: str) -> None:
    with np.errstate(all="ignore"):
        failed = fails(serve(Given(made)))
    assert says in failed.message
    assert failed.kind == kind
    assert not failed.stack


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (None, "Problem.score.measure is a NoneType; it must be a Measure"),
        ({"name": "Sum"}, "Problem.score.measure.name is 'Sum'; it must be 1 to 40 lower-case letters"),
        ({"summary": ""}, "Problem.score.measure.summary is empty"),
        ({"unit": "a" * 1025}, "Problem.score.measure.unit has 1025 bytes; the most is 1024"),
        ({"least": 1, "most": 1}, "Problem.score.measure has scores in 1 … 1, which is none"),
        ({"least": math.nan}, "Problem.score.measure has scores in nan … inf"),
        ({"least": "0"}, "Problem.score.measure.least is '0'; it must be a number"),
        ({"root_mean_square": True}, "Problem.score.measure is taken together by squares, and its least score is -inf"),
        ({"most": 1, "chance": 2}, "Problem.score.measure.chance is 2, and scores are in -inf … 1"),
    ],
)
def test_measures_that_cannot_be(serve: Serve, changes: dict[str, Any] | None, says: str) -> None:
    score = Sum()
    if changes is None:
        score.measure = None  # type: ignore[assignment]
    else:
        score.measure = Measure(**({"name": "sum", "summary": "sum"} | changes))
    assert says in fails(serve(Given(problem(score=score)))).message


@pytest.mark.parametrize(
    ("result", "kind", "says"),
    [
        (lambda s, p: np.zeros(4), "CONTRACT", "score returned an array of shape (4,); it must return a number for each start"),
        (lambda s, p: p, "CONTRACT", "given: score returned an array of shape (5, 2)"),
        (lambda s, p: None, "CONTRACT", "given: score returned object"),
        (lambda s, p: np.full(5, math.nan), "CONTRACT", "given: score returned an array that is not finite as float64"),
        (lambda s, p: np.full(5, 2e6), "CONTRACT", "score returned 2000000.0 for start 0 at step 1; the measure 'sum' takes "
         "numbers in -1000000.0 … 1000000.0"),
        (lambda s, p: 1 // 0, "PANIC", "ZeroDivisionError"),
    ],
)  # fmt: skip
def test_scores_that_cannot_be(serve: Serve, result: Callable[[int, Array], Any], kind: str, says: str) -> None:
    broken = True
    host = serve(Given(problem(score=Sum(lambda s, p: result(s, p) if broken else np.ones(5)))))
    opened, _ = host.open("given")
    handle = host.fit_score(opened.handle)
    x = points(5, 2).astype(np.float32)
    with pytest.raises(Failed) as failed:
        host.score(handle, 1, x)
    assert says in failed.value.message
    assert failed.value.kind == kind
    broken = False
    np.testing.assert_array_equal(host.score(handle, 1, x), 1, err_msg="the next call is as any")


def test_what_a_host_may_ask(serve: Serve) -> None:
    host = serve(Given(problem()), Circle(), Ridge())
    opened, _ = host.open("given")
    handle = host.fit_score(opened.handle)
    x = points(5, 2).astype(np.float32)
    fitted = host.fit_method("ridge", points(20, 3).astype(np.float32), options={"alpha": 1e-3})
    for call, says in (
        (lambda: host.open("none"), "UNKNOWN: there is nothing of kind 6 called 'none' here"),
        (lambda: host.open("circle", steps=1), "OPTION: the host has sent no value of the option 'angle'"),
        (lambda: host.fit_score(99), "UNKNOWN: nothing fitted has the handle 99"),
        (lambda: host.fit_score(fitted.handle), "UNKNOWN: the handle 3 is not that of a problem that was opened"),
        (lambda: host.score(opened.handle, 1, x), "UNKNOWN: the handle 1 is not that of a score that was fitted"),
        (
            lambda: host.apply(opened.handle, wire.PREDICT, x),
            "UNKNOWN: the handle 1 is not that of something that can be applied",
        ),
        (lambda: host.score(handle, 0, x), "OPTION: given: step 0 of a roll-out of 2 steps"),
        (lambda: host.score(handle, 3, x), "OPTION: given: step 3 of a roll-out of 2 steps"),
        (lambda: host.score(handle, 1, x[:4]), "SHAPE: given: predictions of the shape (4, 2); those for all starts have (5, 2)"),
        (lambda: host.score(handle, 1, x + np.float32(np.nan)), "NON_FINITE"),
        (lambda: host.fit(wire.TASK, "given", lag=1, states=1), "UNKNOWN: a task is opened, not fitted: 'given'"),
    ):
        with pytest.raises(Failed) as failed:
            call()
        assert says in str(failed.value)


def test_a_task_that_raises(serve: Serve) -> None:
    def crash() -> Problem:
        raise OSError("the disk is gone")

    failed = fails(serve(Given(crash)))
    assert (failed.kind, failed.message) == ("PANIC", "OSError: the disk is gone")
    assert "in crash" in failed.stack


def test_what_is_released_is_forgotten(serve: Serve) -> None:
    kept: list[weakref.ref[Sum]] = []

    def make() -> Problem:
        score = Sum()
        kept.append(weakref.ref(score))
        return problem(score=score)()

    def gone() -> bool:
        gc.collect()
        return kept[0]() is None

    host = serve(Given(make))
    opened, _ = host.open("given")
    handle = host.fit_score(opened.handle)
    host.release(handle)
    host.fit_score(opened.handle)
    host.release(opened.handle)
    with pytest.raises(Failed, match="nothing fitted has the handle 1"):
        host.fit_score(opened.handle)
    assert until(gone)


def test_a_task_prepares_once_and_opens_on_copies(serve: Serve) -> None:
    class Counts(Task):
        name = "counts"
        summary = "counts"
        options = (IntOption("n", 1, 1, 9, "a number"),)
        prepared = opened = 0

        def prepare(self) -> None:
            self.prepared += 1

        def open(self, options: Mapping[str, Any]) -> Problem:
            self.opened += 1
            return problem(source=f"prepared {self.prepared}, opened {self.opened}, n {options['n']}")()

    host = serve(Counts())
    for n in (2, 3):
        assert host.open("counts", n=n)[0].source == f"prepared 1, opened 1, n {n}"


@pytest.mark.parametrize("attributes", [{"exposure": "labels"}, {"row_by_row": True}])
def test_a_task_declares_no_exposure(serve: Serve, attributes: dict[str, Any]) -> None:
    task = Circle()
    vars(task).update(attributes)
    with pytest.raises(ValueError, match="'circle' declares row_by_row or an exposure, and is a task, which has neither"):
        serve(task)
