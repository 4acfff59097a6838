"""Things to serve in tests, each of its kind with all abilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from koopbench_plugin import (
    BoolOption,
    ChoiceOption,
    Embedder,
    EvolutionOperator,
    FloatOption,
    IntOption,
    Labels,
    Loss,
    LossValue,
    Matrix,
    Method,
    OperatorTraining,
    Oracle,
    Problem,
    Snapshots,
    Task,
    TextOption,
    TooShortError,
    Training,
)
from koopbench_plugin.things import Exposure

Complex = np.ndarray[Any, np.dtype[Any]]


def rows(x: Snapshots) -> Matrix:
    return x.reshape(len(x), -1).astype(np.float64)


class Ridge(Method):
    """A class that has fit and predict, and more."""

    name = "ridge"
    summary = "ridge regression from a snapshot to the next, on 12 principal axes"
    options = (FloatOption("alpha", 1e-6, 1e-12, 1, "regularisation"),)
    row_by_row = True

    def fit(self, training: Training) -> None:
        self.axes = np.linalg.svd(rows(training.train), full_matrices=False)[2][:12].T
        x, y = (rows(a) @ self.axes for a in training.pairs())
        covariance = x.T @ x / len(x) + training.options["alpha"] * np.eye(x.shape[1])
        self.weights = np.linalg.solve(covariance, x.T @ y / len(x))
        self.values, left = np.linalg.eig(self.weights)
        order = np.argsort(-np.abs(self.values), kind="stable")
        self.values, self.left = self.values[order], self.axes @ left[:, order]
        training.report.rank = len(self.weights)
        training.report.parameters = self.weights.size

    def predict(self, snapshots: Snapshots) -> Matrix:
        return (rows(snapshots) @ self.axes @ self.weights @ self.axes.T).reshape(snapshots.shape)

    def forecast(self, snapshots: Snapshots, steps: int) -> Matrix:
        power = np.linalg.matrix_power(self.weights, steps)
        return (rows(snapshots) @ self.axes @ power @ self.axes.T).reshape(snapshots.shape)

    def eigenvalues(self) -> Complex:
        return self.values

    def left_eigenfunctions(self, snapshots: Snapshots) -> Complex:
        return rows(snapshots) @ self.left


class Descent(Method):
    """A class that is trained: it draws at random, reports, and can be cancelled in every batch."""

    name = "descent"
    summary = "a linear map on principal axes, by stochastic gradient descent"
    options = (
        IntOption("epochs", 40, 1, 1000, "passes over the training data"),
        FloatOption("lr", 0.5, 0, 1, "learning rate, in the units of the reciprocal variance"),
    )
    row_by_row = True

    def fit(self, training: Training) -> Callable[[Snapshots], Matrix]:
        mean = rows(training.train).mean(0)
        singular, directions = np.linalg.svd(rows(training.train) - mean, full_matrices=False)[1:]
        axes = directions[singular > 1e-6 * singular[0]][: training.states].T
        if not axes.shape[1]:
            training.report.untrained = "all training snapshots are the same"
        x, y = ((rows(a) - mean) @ axes for a in training.pairs())
        held_x, held_y = ((rows(a) - mean) @ axes for a in training.validation_pairs())
        weights = training.rng("init").normal(size=(axes.shape[1],) * 2) / 10
        rate = training.options["lr"] / max(float((x**2).sum(1).max()), 1e-300) if len(x) else 0.0

        epochs, batch = training.options["epochs"], 16
        starts = range(0, len(x), batch)
        training.phase("training", epochs * len(starts))
        shuffle = training.rng("shuffle")
        first = 0
        if kept := training.checkpoints.get("training"):
            first, weights = int(kept["epoch"]), kept["weights"]
        for epoch in range(epochs):
            losses, order = [], shuffle.permutation(len(x))
            if epoch < first:
                continue  # drawn all the same
            for done, start in enumerate(starts, 1):
                chosen = order[start : start + batch]
                error = x[chosen] @ weights - y[chosen]
                losses.append(float((error**2).mean()) if error.size else 0.0)
                weights = weights - rate * x[chosen].T @ error / len(chosen)
                training.advance(epoch * len(starts) + done)
            held = held_x @ weights - held_y
            training.epoch(epoch + 1, float(np.mean(losses)), float((held**2).mean()) if held.size else 0.0)
            if training.checkpoint_due:
                training.store_checkpoint({"epoch": np.int64(epoch + 1), "weights": weights})
        training.report.rank = axes.shape[1]
        training.report.parameters = weights.size
        return lambda s: ((rows(s) - mean) @ axes @ weights @ axes.T + mean).reshape(s.shape)


class Given(Method):
    """Does as it is told."""

    name = "given"
    summary = "whatever the test says"

    def __init__(self, fit: Callable[[Training], Any], exposure: Exposure = "") -> None:
        self._fit = fit
        self.exposure = exposure

    def fit(self, training: Training) -> Any:
        return self._fit(training)


class Typed(Method):
    """Options of each type."""

    name = "typed"
    summary = "options of each type"
    options = (
        BoolOption("centred", True, "whether to centre"),
        IntOption("rank", 3, 1, 9, "rank"),
        FloatOption("alpha", 0.5, 0, 1, "regularisation"),
        ChoiceOption("kernel", "kernel", "rbf", "matern"),
        TextOption("path", "", 40, "file of weights"),
    )

    def fit(self, training: Training) -> Callable[[Snapshots], Snapshots]:
        for name, value in training.options.items():
            training.warn(f"{name}={value!r}")
        return lambda x: x


class Pca(Embedder):
    """Principal components."""

    name = "pca"
    summary = "principal components"
    options = (IntOption("dim", 2, 1, 12, "number of components"),)
    row_by_row = True

    def fit(self, training: Training) -> None:
        x = rows(training.train)
        self.mean = x.mean(0)
        self.shape = training.train.shape[1:]
        self.axes = np.linalg.svd(x - self.mean, full_matrices=False)[2][: training.options["dim"]].T

    def embed(self, snapshots: Snapshots) -> Matrix:
        return (rows(snapshots) - self.mean) @ self.axes

    def decode(self, features: Matrix) -> Matrix:
        return (features @ self.axes.T + self.mean).reshape(-1, *self.shape)


class LeastSquares(EvolutionOperator):
    """Least squares from features to the next."""

    name = "least-squares"
    summary = "least squares on features"
    row_by_row = True

    def fit(self, training: OperatorTraining) -> None:
        x, y = training.pairs()
        self.weights = np.linalg.lstsq(x, y, rcond=training.precision)[0]
        self.rank = int(np.linalg.matrix_rank(self.weights))
        if training.observable is not None:
            self.observe = np.linalg.lstsq(training.features, training.observable, rcond=None)[0]
        self.values, self.right = np.linalg.eig(self.weights)
        order = np.argsort(-np.abs(self.values), kind="stable")
        self.values, self.right = self.values[order], self.right[:, order]

    def predict(self, features: Matrix, steps: int) -> Matrix:
        return features @ np.linalg.matrix_power(self.weights, steps)

    def predict_observable(self, features: Matrix, steps: int) -> Matrix:
        return self.predict(features, steps) @ self.observe

    def eigenvalues(self) -> Complex:
        return self.values

    def left_eigenfunctions(self, features: Matrix) -> Complex:
        result: Complex = features @ np.linalg.inv(self.right).T
        return result

    def right_eigenfunctions(self, features: Matrix) -> Complex:
        return features @ self.right


class Squares(Loss):
    """½ weight ‖x − y‖²."""

    name = "squares"
    summary = "weighted sum of squared differences"
    options = (FloatOption("weight", 1, 0, 10, "weight"),)

    def evaluate(self, x: Matrix, y: Matrix, weight: float) -> LossValue:
        d = x - y
        warnings = ["the views are equal"] if not d.any() else []
        return LossValue(weight * float((d**2).sum()) / 2, weight * d, -weight * d, warnings)


class Circle(Task):
    """A point on a circle."""

    name = "circle"
    summary = "a point that goes round"
    options = (IntOption("steps", 3, 1, 20, "steps of a roll-out"), FloatOption("angle", 0.3, 0.01, 3, "of a step"))

    def open(self, options: Mapping[str, Any]) -> Problem:
        angles = options["angle"] * np.arange(100)
        x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        test, steps = x[70:], options["steps"]
        starts = np.arange(len(test) - steps)
        return Problem(
            train=[x[:30], x[30:50]],
            validation=x[50:70],
            test=test,
            steps=steps,
            rank=2,
            starts=starts,
            future=np.stack([test[starts + k] for k in range(1, steps + 1)]),
            eigenvalues=np.exp([-1j * options["angle"], 1j * options["angle"]]),
            source="a circle",
        )


class Nearest(Oracle):
    """The class whose mean is nearest."""

    name = "nearest"
    summary = "nearest class mean"

    def fit(self, training: Training) -> None:
        x = rows(training.train)
        labels = training.train_labels
        assert labels is not None
        counts = np.bincount(labels, minlength=training.states)
        if not counts.all():
            raise TooShortError(f"no snapshot has the label {counts.argmin()}; give at least one for each of {training.states}")
        self.means = np.stack([x[labels == c].mean(0) for c in range(training.states)])

    def encode(self, snapshots: Snapshots) -> Matrix:
        return -((rows(snapshots)[:, None] - self.means) ** 2).sum(2)

    def classify(self, snapshots: Snapshots) -> Labels:
        return self.encode(snapshots).argmax(1)
