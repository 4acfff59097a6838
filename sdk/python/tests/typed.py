"""What authors write type-checks in strict mode: mypy reads this file, and nothing runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from koopbench_plugin import (
    Embedder,
    EvolutionOperator,
    FloatOption,
    Loss,
    LossValue,
    Matrix,
    Measure,
    Method,
    OperatorTraining,
    Oracle,
    Problem,
    Saved,
    Snapshots,
    States,
    Task,
    Training,
    serve,
)


class Positional(Loss):
    options = (FloatOption("eps", 1e-6, 0, 1, "regularisation"),)

    def evaluate(self, x: Matrix, y: Matrix, eps: float) -> LossValue:
        return LossValue(eps, x, y)


class Keyword(Loss):
    def evaluate(self, x: Matrix, y: Matrix, /, *, eps: float, centred: bool) -> tuple[float, Matrix, Matrix]:
        return eps * centred, x, y


class Without(Loss):
    def evaluate(self, x: Matrix, y: Matrix) -> LossValue:
        return LossValue(0.0, x, y)


class Wrong(Loss):
    def evaluate(self, x: str, y: Matrix) -> LossValue:  # type: ignore[override]
        return LossValue(0.0, y, y)


class Own(Method):
    def prepare(self) -> None:
        self.scale = 1.0

    def fit(self, training: Training) -> None:
        self.mean = training.train.mean(axis=0)

    def predict(self, snapshots: Snapshots) -> Snapshots:
        return np.broadcast_to(self.mean, snapshots.shape)

    def save(self) -> Saved:
        return Saved(arrays={"mean": self.mean}, facts={"scale": self.scale})

    def load(self, saved: Saved) -> None:
        self.mean = np.asarray(saved.arrays["mean"])


class Features(Embedder):
    def fit(self, training: Training) -> None:
        pass

    def embed(self, snapshots: Snapshots) -> Matrix:
        return snapshots.reshape(len(snapshots), -1).astype(np.float64)


class Linear:
    rank = 1

    def predict(self, features: Matrix, steps: int) -> Matrix:
        return features


class Dynamics(EvolutionOperator):
    def fit(self, training: OperatorTraining) -> Linear:
        return Linear()


class Judge(Oracle):
    def fit(self, training: Training) -> None:
        pass

    def classify(self, snapshots: Snapshots) -> list[int]:
        return [0] * len(snapshots)


class Distance:
    measure = Measure(name="distance", summary="distance to zero", lower_is_better=True, least=0)

    def score(self, step: int, predicted: Snapshots) -> Matrix:
        scores: Matrix = np.abs(predicted).sum(1).astype(np.float64)
        return scores


class Line(Task):
    def open(self, options: Mapping[str, Any]) -> Problem:
        x = np.arange(10.0)[:, None]
        zeros = np.zeros(10, int)
        states = States(count=1, train=zeros, validation=[0] * 10, test=zeros, expected=np.zeros((2, 10), int))
        return Problem(
            train=[x, x], validation=x, test=x, steps=2, rank=1, score=Distance(), states=states, eigenvalues=[1, 0.5j]
        )


if __name__ == "__main__":
    serve(Positional(), Keyword(), Without(), Own(), Features(), Dynamics(), Judge(), Line())
