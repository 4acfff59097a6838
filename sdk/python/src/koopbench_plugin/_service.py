"""The service of the wire format, over things of the six kinds."""

from __future__ import annotations

import contextlib
import copy
import itertools
import logging
import platform
import threading
import time
import traceback
from collections.abc import Generator, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from koopbench import __version__
from koopbench_plugin import _arrays, _checks, options
from koopbench_plugin._arrays import AnyArray
from koopbench_plugin._call import Call, Context, Thread, epoch_to_wire
from koopbench_plugin._counts import count
from koopbench_plugin._fitted import KINDS, Fitted, FittedModel
from koopbench_plugin._task import Opened, Scorer
from koopbench_plugin.errors import (
    Cancelled,
    ContractError,
    OptionError,
    PluginError,
    ShapeError,
    UnavailableError,
    UnknownError,
)
from koopbench_plugin.things import Loss, LossValue, Thing, describe, loads
from koopbench_plugin.training import OperatorTraining, Report, Saved, Training
from koopbench_plugin.wire import plugin_pb2 as wire

LOG = logging.getLogger("koopbench_plugin")

MAX_STACK = 1 << 16

K = TypeVar("K", Fitted, Opened, Scorer)
WORDS: dict[type, str] = {
    Fitted: "something that can be applied",
    Opened: "a problem that was opened",
    Scorer: "a score that was fitted",
}

Frames = Generator[wire.Frame, None, None]


class Service:
    """Serves things. Its methods may be called concurrently.

    Raises:
        ValueError: a description breaks a rule, two things of a kind have one name, or a thing cannot be copied.
    """

    def __init__(self, things: Sequence[Thing], version: str = "") -> None:
        if not things:
            raise ValueError("there is nothing to serve; give serve() a method or another thing")
        self._things: dict[tuple[int, str], Thing] = {}
        self._description = wire.DescribeReply(
            version=version, sdk=f"koopbench-plugin {__version__} (Python {platform.python_version()})", trajectories=True
        )
        for thing in things:
            description = describe(thing)
            key = (description.kind, description.name)
            if key in self._things:
                raise ValueError(f"two things of the kind {wire.Kind.Name(description.kind)} are called {description.name!r}")
            try:
                copy.deepcopy(thing)
            except Exception as error:
                raise ValueError(
                    f"{description.name!r} cannot be copied, and every fit works on a copy: {error}; make what cannot be "
                    "copied in fit"
                ) from error
            self._things[key] = thing
            self._description.things.append(description)
        self._losses = {name: Thread(name) for kind, name in self._things if kind == wire.LOSS}
        self._fitted: dict[int, Fitted | Opened | Scorer] = {}
        self._handles = itertools.count(1)
        self._lock = threading.Lock()
        self._fitting = threading.Lock()
        self._prepared: set[int] = set()  # ids of things

    def describe(self, request: wire.DescribeRequest, context: Context) -> wire.DescribeReply:
        """Answers Describe."""
        return self._description

    def release(self, request: wire.ReleaseRequest, context: Context) -> wire.ReleaseReply:
        """Answers Release."""
        with self._lock:
            fitted = self._fitted.pop(request.handle, None)
        if fitted is not None:
            fitted.thread.end()
        return wire.ReleaseReply()

    def fit(self, requests: Iterator[wire.Frame], context: Context) -> Frames:
        """Answers Fit."""
        return _answer(self._fit(Call(requests, context)))

    def apply(self, requests: Iterator[wire.Frame], context: Context) -> Frames:
        """Answers Apply."""
        return _answer(self._apply(Call(requests, context)))

    def evaluate(self, requests: Iterator[wire.Frame], context: Context) -> Frames:
        """Answers Evaluate."""
        return _answer(self._evaluate(Call(requests, context)))

    def open(self, requests: Iterator[wire.Frame], context: Context) -> Frames:
        """Answers Open."""
        return _answer(self._open(Call(requests, context)))

    def _thing(self, kind: int, name: str) -> Thing:
        thing = self._things.get((kind, name))
        if thing is None:
            here = ", ".join(f"{wire.Kind.Name(k)} {n}" for k, n in self._things)
            raise UnknownError(f"there is nothing of kind {kind} called {name!r} here; there is {here}")
        return thing

    @contextlib.contextmanager
    def _turn(self, call: Call) -> Iterator[None]:
        """Waits for the fits before: a fit may seed and use what the process has once, such as PyTorch's generator."""
        with call.waiting():
            while not self._fitting.acquire(timeout=0.1):
                call.check()
        try:
            yield
        finally:
            self._fitting.release()

    def _prepare(self, thing: Thing) -> float:
        """Prepares a thing for the first time, and returns how many seconds that took. No other fit is under way."""
        if id(thing) in self._prepared or getattr(thing.prepare, "__func__", None) is Thing.prepare:
            return 0.0
        begun = time.perf_counter()
        thing.prepare()
        self._prepared.add(id(thing))
        return time.perf_counter() - begun

    def _fit(self, call: Call) -> Frames:
        first = _first(call, "fit", "load", "fit_score")
        if first.WhichOneof("content") == "load":
            yield from self._load(first.load, call)
            return
        if first.WhichOneof("content") == "fit_score":
            yield from self._fit_score(first.fit_score, call)
            return
        request = first.fit
        thing = self._thing(request.kind, request.name)
        if thing.kind not in KINDS:
            what = "a loss is evaluated" if thing.kind == wire.LOSS else "a task is opened"
            raise UnknownError(f"{what}, not fitted: {request.name!r}")
        training = _operator_training(thing, request, call) if thing.kind == wire.OPERATOR else _training(thing, request, call)
        thread = Thread(thing.name, getattr(training, "oracle_dim", 0), request.checkpoint_seconds)
        training.host = thread

        prepared = 0.0

        def fit() -> tuple[Fitted, wire.Fitted, list[tuple[str, AnyArray]]]:
            nonlocal prepared
            with self._turn(call):
                prepared = self._prepare(thing)
                own: Any = copy.deepcopy(thing)
                fitted = KINDS[thing.kind](own, own.fit(training), training, thread)
                return fitted, *fitted.describe()

        try:
            fitted, reply, arrays = yield from call.run(thread, fit)
            reply.report.CopyFrom(_report(thing.name, training.report, prepared))
        except BaseException:
            thread.end()
            raise
        yield from self._keep(fitted, reply, arrays)

    def _load(self, request: wire.LoadCall, call: Call) -> Frames:
        thing = self._thing(request.kind, request.name)
        if not loads(thing):
            raise UnavailableError(f"{thing.name}: it has no load, so none of its models can be loaded")
        names = [a.name for a in request.state.arrays]
        arrays = dict(zip(names, _arrays.receive(request.state.arrays, names, call.receive)))
        facts, shape = Saved.received(thing.name, request.state.facts)
        dim = request.oracle_dim if thing.exposure == "oracle" else 0
        thread = Thread(thing.name, dim)
        saved = Saved(arrays=arrays, facts=facts, name=thing.name, oracle_dim=dim, host=thread)
        nothing = np.zeros((0, *shape), np.float32)

        def load() -> tuple[Fitted, wire.Fitted, list[tuple[str, AnyArray]]]:
            with self._turn(call):
                self._prepare(thing)
                own: Any = copy.deepcopy(thing)
                fitted = KINDS[thing.kind](own, own.load(saved), Training(train=nothing, validation=nothing), thread)
                return fitted, *fitted.describe()

        try:
            fitted, reply, sent = yield from call.run(thread, load)
        except BaseException:
            thread.end()
            raise
        yield from self._keep(fitted, reply, sent)

    def _keep(self, fitted: Fitted | Scorer, reply: wire.Fitted, arrays: list[tuple[str, AnyArray]]) -> Frames:
        """Keeps something fitted and tells the host of it."""
        fitted.thread.fitting = False
        reply.handle = self._handle(fitted)
        yield from _send(reply, "fitted", arrays)

    def _handle(self, fitted: Fitted | Opened | Scorer) -> int:
        """Keeps something fitted or opened and returns its handle."""
        handle = next(self._handles)
        with self._lock:
            self._fitted[handle] = fitted
        return handle

    def _kept(self, handle: int, kind: type[K]) -> K:
        """Returns what has a handle."""
        with self._lock:
            fitted = self._fitted.get(handle)
        if fitted is None:
            raise UnknownError(f"nothing fitted has the handle {handle}; it may have been released")
        if not isinstance(fitted, kind):
            raise UnknownError(f"the handle {handle} is not that of {WORDS[kind]}")
        return fitted

    def _open(self, call: Call) -> Frames:
        request = _first(call, "open").open
        task = self._thing(wire.TASK, request.name)
        values = options.from_wire(task.options, request.options)
        thread = Thread(task.name)

        def open_task() -> Opened:
            with self._turn(call):
                self._prepare(task)
                own: Any = copy.deepcopy(task)
                return Opened(task.name, own.open(values), thread)

        try:
            opened = yield from call.run(thread, open_task)
        except BaseException:
            thread.end()
            raise
        arrays, opened.arrays = opened.arrays, []
        reply = opened.reply
        if opened.score is None:
            thread.end()
        else:
            reply.handle = self._handle(opened)
        yield from _send(reply, "opened", arrays)

    def _fit_score(self, request: wire.FitScoreCall, call: Call) -> Frames:
        opened = self._kept(request.problem, Opened)
        thread = Thread(opened.name)

        def fit() -> Scorer:
            with self._turn(call):
                return opened.fit(request.seed, thread)

        try:
            scorer = yield from call.run(thread, fit)
        except BaseException:
            thread.end()
            raise
        yield from self._keep(scorer, wire.Fitted(), [])

    def _score(self, request: wire.ScoreCall, call: Call) -> Frames:
        scorer = self._kept(request.handle, Scorer)
        (predicted,) = _arrays.receive(request.arrays, ["snapshots"], call.receive)
        predicted = scorer.check(request.step, predicted)
        result = yield from call.run(scorer.thread, lambda: scorer.score(request.step, predicted))
        yield from _send(wire.Result(), "result", [result])

    def _apply(self, call: Call) -> Frames:
        first = _first(call, "apply", "score")
        if first.WhichOneof("content") == "score":
            yield from self._score(first.score, call)
            return
        request = first.apply
        fitted = self._kept(request.handle, Fitted)
        operation, steps = request.operation, request.steps
        fitted.check_operation(operation, steps)
        if isinstance(fitted, FittedModel) and operation == wire.SAVE:
            facts, arrays = yield from call.run(fitted.thread, fitted.save)
            state = wire.State(facts=facts, arrays=[_arrays.announce(n, a) for n, a in arrays.items()])
            yield wire.Frame(result=wire.Result(state=state))
            yield from _arrays.chunks(arrays.values())
            return
        (x,) = _arrays.receive(request.arrays, [fitted.input_of(operation)], call.receive)
        x = fitted.check_input(operation, x)
        result = yield from call.run(fitted.thread, lambda: fitted.apply(operation, x, steps))
        yield from _send(wire.Result(), "result", [result])

    def _evaluate(self, call: Call) -> Frames:
        request = _first(call, "evaluate").evaluate
        loss: Any = self._thing(wire.LOSS, request.name)
        values = options.from_wire(loss.options, request.options)
        x, y = _arrays.receive(request.arrays, ["x", "y"], call.receive)
        x, y = _checks.matrix(f"{loss.name}: x", x), _checks.matrix(f"{loss.name}: y", y)
        if x.shape != y.shape or not x.size:
            raise ShapeError(f"{loss.name}: views of shape {x.shape} and {y.shape}; they must have one shape and not be empty")

        def evaluate() -> Any:
            self._prepare(loss)  # all that a loss does is on one thread
            return _loss_value(loss, x, y, values)

        value = yield from call.run(self._losses[loss.name], evaluate)
        reply = wire.LossValue(value=value.value, warnings=[_checks.text(w) for w in value.warnings])
        _checks.warnings(reply.warnings)
        yield from _send(reply, "loss", [("gradient_x", value.grad_x), ("gradient_y", value.grad_y)])


def _loss_value(loss: Loss, x: AnyArray, y: AnyArray, values: dict[str, options.Value]) -> Any:
    returned = loss.evaluate(x, y, **values)
    if not isinstance(returned, tuple) or not 3 <= len(returned) <= 4:
        raise ContractError(
            f"{loss.name}: evaluate returned a {type(returned).__name__}; it must return a LossValue: the value and two gradients"
        )
    value = LossValue(*returned)
    what = f"{loss.name}: evaluate"
    return LossValue(
        _checks.number(what, value.value),
        _checks.returned(what, value.grad_x, np.float64, x.shape, "a gradient of the shape of x"),
        _checks.returned(what, value.grad_y, np.float64, y.shape, "a gradient of the shape of y"),
        value.warnings,
    )


def _first(call: Call, *contents: str) -> wire.Frame:
    frame = call.receive()
    if frame.WhichOneof("content") not in contents:
        wanted = " or ".join(f'"{c}"' for c in contents)
        raise ContractError(f"the host began the call with {_arrays.kind(frame)}; a frame with {wanted} must begin it")
    return frame


def _send(reply: Any, content: str, arrays: list[tuple[str, AnyArray]]) -> Frames:
    reply.arrays.extend(_arrays.announce(name, array) for name, array in arrays)
    yield wire.Frame(**{content: reply})
    yield from _arrays.chunks(array for _, array in arrays)


def _training(thing: Thing, request: wire.FitCall, call: Call) -> Training:
    names = ["train", "validation"]
    labelled = thing.kind == wire.ORACLE or thing.exposure == "labels"
    if len(request.arrays) > len(names):
        names += ["train_labels", "validation_labels"]
    elif labelled:
        raise UnavailableError(f"{thing.name}: it learns from labels, and the host has sent none")
    if thing.exposure == "oracle" and not request.oracle_dim:
        raise UnavailableError(f"{thing.name}: it needs the encoder of the oracle that judges, and that has none")
    values = options.from_wire(thing.options, request.options)
    _check_lag(thing.name, request.lag)
    if not 1 <= request.states < 1 << 31:
        raise OptionError(f"{thing.name}: {request.states} states; there must be at least 1")
    arrays = _arrays.receive(request.arrays, names, call.receive)
    train, validation = (_checks.snapshots(f"{thing.name}: {n}", a) for n, a in zip(names[:2], arrays[:2]))
    if train.shape[1:] != validation.shape[1:]:
        raise ShapeError(
            f"{thing.name}: training snapshots of shape {train.shape[1:]}, validation snapshots of shape {validation.shape[1:]}"
        )
    train_lengths = _checks.trajectories(f"{thing.name}: train", train, request.train_lengths, request.lag)
    validation_lengths = _checks.trajectories(f"{thing.name}: validation", validation, request.validation_lengths, request.lag)
    checkpoints: dict[str, dict[str, AnyArray]] = {}
    for state in request.checkpoints:
        stored = [a.name for a in state.arrays]
        checkpoints[state.name] = dict(zip(stored, _arrays.receive(state.arrays, stored, call.receive)))
    training = Training(
        train=train,
        validation=validation,
        train_lengths=train_lengths,
        validation_lengths=validation_lengths,
        lag=request.lag,
        states=request.states,
        options=values,
        seed=request.seed,
        name=thing.name,
        # What is not declared is not passed on.
        oracle_dim=request.oracle_dim if thing.exposure == "oracle" else 0,
    )
    training.restore(checkpoints)
    if labelled:
        training.train_labels = _checks.labels(f"{thing.name}: train_labels", arrays[2], len(train), training.states)
        training.validation_labels = _checks.labels(
            f"{thing.name}: validation_labels", arrays[3], len(validation), training.states
        )
    return training


def _operator_training(thing: Thing, request: wire.FitCall, call: Call) -> OperatorTraining:
    values = options.from_wire(thing.options, request.options)
    _check_lag(thing.name, request.lag)
    names = ["features", "observable"][: 2 if len(request.arrays) > 1 else 1]
    features, *rest = _arrays.receive(request.arrays, names, call.receive)
    features = _checks.matrix(f"{thing.name}: features", features)
    observable = _checks.matrix(f"{thing.name}: observable", rest[0]) if rest else None
    if not features.shape[1] or (observable is not None and not observable.shape[1]):
        raise ShapeError(f"{thing.name}: features of shape {features.shape}; there must be a column")
    if observable is not None and len(observable) != len(features):
        raise ShapeError(f"{thing.name}: {len(observable)} rows of the observable for {len(features)} rows of features")
    return OperatorTraining(
        features=features,
        observable=observable,
        lengths=_checks.trajectories(f"{thing.name}: features", features, request.feature_lengths, request.lag),
        lag=request.lag,
        options=values,
        precision=request.precision or 2.0**-52,
    )


def _check_lag(name: str, lag: int) -> None:
    if not 1 <= lag < 1 << 31:
        raise OptionError(f"{name}: a lag of {lag} snapshots; it must be in 1 … {(1 << 31) - 1}")


def _report(name: str, r: Report, prepared: float) -> wire.Report:
    try:
        sent = wire.Report(
            untrained=_checks.text(r.untrained),
            warnings=[_checks.text(w) for w in r.warnings],
            history=[epoch_to_wire(e) for e in r.history],
            rank=count("rank", r.rank),
            parameters=count("number of parameters", r.parameters),
            compile_seconds=float(r.compile_seconds) + prepared,
        )
    except (TypeError, ValueError, OverflowError, ContractError) as error:
        raise ContractError(f"{name}: the report {r} cannot be sent: {error}") from error
    try:
        _checks.report(sent)
    except ContractError as error:
        raise ContractError(f"{name}: {error}") from None
    return sent


def _answer(frames: Frames) -> Frames:
    """Ends a call with a Failure where its frames do not come about."""
    try:
        yield from frames
    except GeneratorExit:
        raise
    except BaseException as error:
        yield wire.Frame(failure=_failure(error))


def _failure(error: BaseException) -> wire.Failure:
    if isinstance(error, (PluginError, Cancelled)):
        return wire.Failure(kind=error.kind, message=_checks.text(error) or type(error).__name__)
    stack = "".join(traceback.format_exception(error))
    LOG.error("%s", stack)
    text = _checks.text(error).partition("\n")[0]
    return wire.Failure(
        kind=wire.Failure.PANIC,
        message=f"{type(error).__name__}: {text}" if text else type(error).__name__,
        stack=_checks.text(stack)[-MAX_STACK:],
    )
