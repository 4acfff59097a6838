"""One fit on a terminal, for a debugger: `bench plugin fit` asks for it."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from koopbench_plugin._call import Thread
from koopbench_plugin._fitted import FittedModel
from koopbench_plugin.things import Method, Thing
from koopbench_plugin.training import Epoch, NoHost, Training
from koopbench_plugin.wire import plugin_pb2 as wire


class _Terminal(NoHost):
    """Prints the epochs of a fit."""

    def epoch(self, epoch: Epoch) -> None:
        print(f"epoch {epoch.number}: loss {epoch.train:.6g}, validation {epoch.validation:.6g}", flush=True)


def fit(things: Sequence[Thing], request: str) -> None:
    """Makes the fit of a request, and a prediction of the validation snapshots. What goes wrong is an exception."""
    asked: dict[str, Any] = json.loads(request)
    (thing,) = (t for t in things if isinstance(t, Method) and t.name == asked["name"])
    training = Training.load(
        asked["data"], name=thing.name, seed=asked["seed"], options=thing.resolve(**asked["options"]), host=_Terminal()
    )
    thing.prepare()
    own = copy.deepcopy(thing)
    fitted = FittedModel(own, own.fit(training), training, Thread(thing.name))
    fitted.describe()
    now, following = training.validation_pairs()
    _, predicted = fitted.apply(wire.PREDICT, now, 0)
    error, of_mean = (np.square(p - following).mean() for p in (predicted, training.train.mean(0)))
    print(f"mean squared error of predicted validation snapshots: {error:.6g}; of the mean training snapshot: {of_mean:.6g}")
    for what, value in (("untrained", training.report.untrained), *(("warning", w) for w in training.report.warnings)):
        if value:
            print(f"{what}: {value}")
