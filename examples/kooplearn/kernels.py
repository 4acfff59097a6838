#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["koopbench", "kooplearn==2.0.3"]
#
# [tool.uv.sources]
# koopbench = { path = "../../sdk/python" }
# ///
"""A plugin of koopbench that runs kooplearn's own kernel regressions. In kooplearn 2.0.3 they predict one step too few, and do
not pass the check `learns`: docs/kooplearn.md. They need no torch, and are no part of plugin.py for both reasons.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from koopbench_plugin import (
    ChoiceOption,
    FloatOption,
    IntOption,
    Method,
    Snapshots,
    TooShortError,
    Training,
    UnavailableError,
    serve,
)

VERSION = "1.0.0"

OPTIONS = (
    ChoiceOption("kernel", "kernel of standardised values, of scikit-learn's usual width", "rbf", "poly", "linear"),
    ChoiceOption("variant", "what limits the rank", "reduced-rank", "principal-components"),
    FloatOption("alpha", 1e-6, 0, 1e6, "kooplearn's alpha, which its classes do not read alike"),
)


class Model:
    """A fitted regression. All that it says is what kooplearn's own methods return for standardised values."""

    def __init__(self, training: Training, regression: Any) -> None:
        values = _flat(training.train)
        self._shape = training.train.shape[1:]
        self._shift, scale = values.mean(axis=0), values.std(axis=0)
        self._scale = np.where(scale > 0, scale, 1)
        self.regression = regression.fit(self._standardised(training.train))
        training.report.rank = regression.rank_

    def _standardised(self, snapshots: Snapshots) -> npt.NDArray[np.float64]:
        standardised: npt.NDArray[np.float64] = (_flat(snapshots) - self._shift) / self._scale
        return standardised

    def predict(self, snapshots: Snapshots) -> npt.ArrayLike:
        return self.forecast(snapshots, 1)

    def forecast(self, snapshots: Snapshots, steps: int) -> npt.ArrayLike:
        predicted = self.regression.predict(self._standardised(snapshots), n_steps=steps)
        values: npt.NDArray[np.float64] = predicted * self._scale + self._shift
        return values.reshape(-1, *self._shape)

    def eigenvalues(self) -> npt.ArrayLike:
        values: npt.NDArray[np.complex128] = self.regression.eig()
        return values

    def left_eigenfunctions(self, snapshots: Snapshots) -> npt.ArrayLike:
        values: npt.NDArray[np.complex128] = self.regression.eig(eval_left_on=self._standardised(snapshots))[1]
        return values


def _flat(snapshots: Snapshots) -> npt.NDArray[np.float64]:
    """Returns one row of float64 a snapshot."""
    return snapshots.reshape(len(snapshots), -1).astype(np.float64)


class Kernel(Method):
    """Kostic et al., Learning dynamical systems via Koopman operator regression in reproducing kernel Hilbert spaces, NeurIPS
    2022. kooplearn 2.0.3 predicts one step too few.
    """

    name = "kooplearn-kernel"
    summary = "kooplearn's KernelRidge on standardised values"
    options: tuple[Any, ...] = OPTIONS
    estimator = "KernelRidge"
    """The class of kooplearn."""

    def prepare(self) -> None:
        import kooplearn.kernel  # noqa: F401

    def fit(self, training: Training) -> Model:
        if (n := len(training.trajectories)) > 1:
            raise UnavailableError(f"there are {n} trajectories, and kooplearn pairs the rows of one; give one")
        if (n := len(training.train)) < (least := 2 * training.lag + 1):
            raise TooShortError(f"{n} training snapshots; kooplearn draws centres among {least} at least at this lag")
        import kooplearn.kernel

        o = training.options
        regression = getattr(kooplearn.kernel, self.estimator)(
            n_components=training.states,
            lag_time=training.lag,
            kernel=o["kernel"],
            reduced_rank=o["variant"] == "reduced-rank",
            alpha=o["alpha"],
            random_state=int(training.rng("kooplearn").integers(2**32)),
            **{"n_centers": o["centers"]} if "centers" in o else {},
        )
        return Model(training, regression)


class Nystroem(Kernel):
    """Meanti et al., Estimating Koopman operators with sketching to provably learn large scale dynamical systems, NeurIPS 2023.
    kooplearn 2.0.3 predicts one step too few, and its reduced-rank variant ignores alpha.
    """

    name = "kooplearn-nystroem"
    summary = "kooplearn's NystroemKernelRidge: a kernel at centres among the snapshots"
    options = (*OPTIONS, IntOption("centers", 300, 1, 100_000, "centres, drawn at random with replacement"))
    estimator = "NystroemKernelRidge"


def things() -> list[Method]:
    """Returns what this plugin serves."""
    return [Kernel(), Nystroem()]


if __name__ == "__main__":
    serve(*things(), version=VERSION)
