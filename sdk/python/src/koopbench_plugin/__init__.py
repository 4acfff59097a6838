"""Benchmark Python methods that learn evolution operators with koopbench.

Write a class with ``fit`` and ``predict`` on numpy arrays, and serve it:

    import numpy as np
    from koopbench_plugin import FloatOption, Method, Training, serve

    class Ridge(Method):
        name = "my-ridge"
        summary = "ridge regression from each snapshot to the next"
        doc = "The regularisation is that of Tikhonov."
        options = [FloatOption("alpha", 1e-3, 1e-9, 1e6, "Tikhonov regularisation")]

        def fit(self, training: Training) -> None:
            x, y = (a.reshape(len(a), -1).astype(float) for a in training.pairs())
            gram = x.T @ x / len(x) + training.options["alpha"] * np.eye(x.shape[1])
            self.weights = np.linalg.solve(gram, x.T @ y / len(x))

        def predict(self, snapshots):
            return (snapshots.reshape(len(snapshots), -1) @ self.weights).reshape(snapshots.shape)

    if __name__ == "__main__":
        serve(Ridge())

The six kinds of things and what each must do are in :mod:`koopbench_plugin.things`. :func:`load` reads a folder of results.
"""

from koopbench import Results, __version__, load
from koopbench_plugin import _fork  # noqa: F401 # before gRPC
from koopbench_plugin._process import serve
from koopbench_plugin.errors import (
    Cancelled,
    ContractError,
    LabelError,
    NonFiniteError,
    OptionError,
    PluginError,
    ShapeError,
    TooShortError,
    UnavailableError,
    UnknownError,
)
from koopbench_plugin.options import BoolOption, ChoiceOption, FloatOption, IntOption, Option, TextOption
from koopbench_plugin.problem import Measure, Problem, Score, States
from koopbench_plugin.things import (
    Embedder,
    Embedding,
    EvolutionOperator,
    Judge,
    Loss,
    LossValue,
    Method,
    Model,
    Operator,
    Oracle,
    Task,
    Thing,
)
from koopbench_plugin.training import Epoch, Labels, Matrix, OperatorTraining, Report, Saved, Snapshots, Training

__all__ = [
    "BoolOption",
    "Cancelled",
    "ChoiceOption",
    "ContractError",
    "Embedder",
    "Embedding",
    "Epoch",
    "EvolutionOperator",
    "FloatOption",
    "IntOption",
    "Judge",
    "LabelError",
    "Labels",
    "Loss",
    "LossValue",
    "Matrix",
    "Measure",
    "Method",
    "Model",
    "NonFiniteError",
    "Operator",
    "OperatorTraining",
    "Option",
    "OptionError",
    "Oracle",
    "PluginError",
    "Problem",
    "Report",
    "Results",
    "Saved",
    "Score",
    "ShapeError",
    "Snapshots",
    "States",
    "Task",
    "TextOption",
    "Thing",
    "TooShortError",
    "Training",
    "UnavailableError",
    "UnknownError",
    "__version__",
    "load",
    "serve",
]
