#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["koopbench", "kooplearn==2.0.3", "torch==2.15.0"]
#
# [tool.uv.sources]
# koopbench = { path = "../../sdk/python" }
# ///
"""A plugin of koopbench that runs kooplearn's own estimators, as its notebook "Ordered MNIST (torch)" trains them.

This file says what there is, and starts in an instant; estimators.py has the rest. The version counts for both: koopbench tells
plugins apart by this file alone.
"""

from typing import Any

from koopbench_plugin import FloatOption, IntOption, Method, ShapeError, Training, UnavailableError, serve

VERSION = "1.1.0"

SCHEDULE = (
    IntOption("epochs", 50, 1, 100_000, "passes over the training data"),
    FloatOption("lr", 2e-3, 0, 10, "learning rate of AdamW"),
    IntOption("batch_size", 64, 2, 65_536, "pairs in a step"),
)


def _check_trajectories(training: Training) -> None:
    if (n := len(training.trajectories)) > 1:
        raise UnavailableError(f"there are {n} trajectories, and kooplearn's ridge regression pairs the rows of one; give one")


class Linear(Method):
    """kooplearn's Ridge on standardised pixels: a reduced-rank regression (Kostic et al., Learning dynamical systems via
    Koopman operator regression in reproducing kernel Hilbert spaces, NeurIPS 2022).
    """

    name = "kooplearn-linear"
    summary = "kooplearn's reduced-rank ridge regression on standardised pixels"

    def prepare(self) -> None:
        import estimators  # noqa: F401 # kooplearn and torch

    def fit(self, training: Training) -> Any:
        _check_trajectories(training)
        import estimators

        return estimators.linear(training)


class Neural(Method):
    """A network trained by torch on lagged pairs of images."""

    options = SCHEDULE
    row_by_row = True  # torch sums in an order that depends on the size of a batch
    estimator: str
    """The function of estimators.py."""

    def prepare(self) -> None:
        import estimators  # noqa: F401 # kooplearn and torch

    def fit(self, training: Training) -> Any:
        _check_trajectories(training)
        shape = training.train.shape[1:]
        if len(shape) != 2 or any(n % 4 for n in shape):
            raise ShapeError(f"snapshots of shape {shape}; the networks take images whose sides are multiples of 4")
        import estimators

        return getattr(estimators, self.estimator)(training)


class Vamp(Neural):
    """Wu and Noé, Variational approach for learning Markov processes from time series data, Journal of Nonlinear Science 30,
    2020; Mardt, Pasquali, Wu and Noé, VAMPnets for deep learning of molecular kinetics, Nature Communications 9, 2018.
    Covariances are not centred.
    """

    name = "kooplearn-vamp"
    summary = "kooplearn's VAMPNets: an encoder trained under the VAMP-2 score"
    estimator = "vamp"


class Contrastive(Neural):
    """HaoChen, Wei, Gaidon and Ma, Provable guarantees for self-supervised deep learning with spectral contrastive loss,
    NeurIPS 2021, on lagged pairs.
    """

    name = "kooplearn-contrastive"
    summary = "kooplearn's spectral contrastive loss"
    estimator = "contrastive"


class Autoencoder(Neural):
    """An encoder, a decoder and a linear map between latents trained together (Lusch, Kutz and Brunton, Deep learning for
    universal linear embeddings of nonlinear dynamics, Nature Communications 9, 2018); then a regression on the latents.
    """

    name = "kooplearn-autoencoder"
    summary = "kooplearn's dynamical autoencoder"
    estimator = "autoencoder"


def things() -> list[Method]:
    """Returns what this plugin serves."""
    return [Linear(), Vamp(), Contrastive(), Autoencoder()]


if __name__ == "__main__":
    serve(*things(), version=VERSION)
