#!/bin/sh
"exec" "${0%/*}/.venv/bin/python" "$0" "$@"  # fmt: skip

# To sh, the line above starts Python in the virtual environment beside this file; to Python, it is a string.
"""A plugin of koopbench that runs kooplearn's own estimators, as its notebook "Ordered MNIST (torch)" trains them.

Networks, losses, initialisation, optimiser and the order in which random numbers are drawn are the notebook's, so that a seed
here is the seed given to torch there.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from kooplearn.linear_model import Ridge
from kooplearn.preprocessing import FeatureFlattener
from kooplearn.torch.nn import AutoEncoderLoss, SpectralContrastiveLoss, VampLoss
from kooplearn.torch.utils import FeatureMapEmbedder
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from koopbench_plugin import FloatOption, IntOption, Method, ShapeError, Snapshots, Training, serve

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

# torch's global generator makes the networks and shuffles the batches. Fits that share it take turns.
GENERATOR = threading.Lock()

SCHEDULE = (
    IntOption("epochs", 50, 1, 100_000, "passes over the training data"),
    FloatOption("lr", 2e-3, 0, 10, "learning rate of AdamW"),
    IntOption("batch_size", 64, 2, 65_536, "pairs in a step"),
)


class Model:
    """A fitted kooplearn estimator on the features of an embedder."""

    def __init__(self, training: Training, ridge: Ridge, embedder: Any, decodes: bool) -> None:
        self._ridge, self._embedder, self._decodes = ridge, embedder, decodes
        training.report.rank = ridge.rank_
        if ridge.rank_ < training.states:
            training.warn(f"kooplearn's regression kept {ridge.rank_} of {training.states} dimensions")

    def predict(self, snapshots: Snapshots) -> npt.ArrayLike:
        features = self._embedder.transform(snapshots)
        if self._decodes:
            return self._embedder.inverse_transform(self._ridge.predict(features))
        return self._ridge.predict(features, observable=True)

    def eigenvalues(self) -> npt.ArrayLike | None:
        return self._ridge.eig() if self._ridge.rank_ else None

    def left_eigenfunctions(self, snapshots: Snapshots) -> npt.ArrayLike:
        return self._ridge.eig(eval_left_on=self._embedder.transform(snapshots))[1]


class Linear(Method):
    """kooplearn's Ridge on standardised pixels: a reduced-rank regression (Kostic et al., Learning dynamical systems via
    Koopman operator regression in reproducing kernel Hilbert spaces, NeurIPS 2022).
    """

    name = "kooplearn-linear"
    summary = "kooplearn's reduced-rank ridge regression on standardised pixels"

    def fit(self, training: Training) -> Model:
        pixels = training.train.astype(np.float64)
        pipeline = Pipeline([("flattener", FeatureFlattener()), ("scaler", StandardScaler())]).fit(pixels)
        ridge = Ridge(n_components=training.states, lag_time=training.lag, eigen_solver="dense")
        ridge.fit(pipeline.transform(pixels))
        return Model(training, ridge, _InDouble(pipeline), decodes=True)


class _InDouble:
    """Applies a pipeline in float64."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def transform(self, snapshots: Snapshots) -> Any:
        return self._pipeline.transform(snapshots.astype(np.float64))

    def inverse_transform(self, features: Any) -> Any:
        return self._pipeline.inverse_transform(features)


class Encoder(nn.Module):
    """Two convolutions with pooling, and a linear map to the features."""

    def __init__(self, shape: tuple[int, ...], features: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2))
        self.conv2 = nn.Sequential(nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2))
        self.out = nn.Linear(32 * (shape[0] // 4) * (shape[1] // 4), features)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.conv2(self.conv1(x.unsqueeze(1))).flatten(1))


class Decoder(nn.Module):
    """The encoder's mirror."""

    def __init__(self, shape: tuple[int, ...], features: int) -> None:
        super().__init__()
        self.shape = (32, shape[0] // 4, shape[1] // 4)
        self.fc = nn.Linear(features, 32 * self.shape[1] * self.shape[2])
        self.conv1 = nn.Sequential(nn.Upsample(scale_factor=2), nn.ReLU(), nn.ConvTranspose2d(32, 16, 5, padding=2))
        self.conv2 = nn.Sequential(nn.Upsample(scale_factor=2), nn.ReLU(), nn.ConvTranspose2d(16, 1, 5, padding=2))

    def forward(self, z: Tensor) -> Tensor:
        return self.conv2(self.conv1(self.fc(z).unflatten(1, self.shape))).squeeze(1)


class Normalised(nn.Module):
    """An encoder whose features have norm 1, and a linear map for those of the lagged view."""

    def __init__(self, shape: tuple[int, ...], features: int) -> None:
        super().__init__()
        self.backbone = Encoder(shape, features)
        self.lin = nn.Linear(features, features, bias=False)

    def forward(self, x: Tensor, lagged: bool = False) -> Tensor:
        z = nn.functional.normalize(self.backbone(x), dim=-1)
        return self.lin(z) if lagged else z


class EncoderOnly(Method):
    """An encoder trained under a loss on lagged pairs, and a regression on its features with the images as observable."""

    options = SCHEDULE

    def __init__(self, name: str, summary: str, doc: str, loss: Callable[[], nn.Module]) -> None:
        self.name, self.summary, self.doc, self._loss = name, summary, doc, loss

    def fit(self, training: Training) -> Model:
        shape, loss = _image_shape(training), self._loss()
        with GENERATOR:
            torch.manual_seed(training.seed)
            network = Normalised(shape, training.states).to(DEVICE)
            _train(training, network, lambda x, y: loss(network(x), network(y, lagged=True)))
        embedder = FeatureMapEmbedder(encoder=network, device=DEVICE)
        ridge = Ridge(n_components=training.states, lag_time=training.lag)
        ridge.fit(embedder.transform(training.train), training.train)
        if ridge.rank_ < training.states:
            training.report.untrained = (
                f"the operator has rank {ridge.rank_}: the features span fewer than the {training.states} dimensions that "
                f"{training.states} states need"
            )
        return Model(training, ridge, embedder, decodes=False)


class Autoencoder(Method):
    """An encoder, a decoder and a linear map between latents trained together (Lusch, Kutz and Brunton, Deep learning for
    universal linear embeddings of nonlinear dynamics, Nature Communications 9, 2018); then a regression on the latents.
    """

    name = "kooplearn-autoencoder"
    summary = "kooplearn's dynamical autoencoder"
    options = SCHEDULE

    def fit(self, training: Training) -> Model:
        shape, loss = _image_shape(training), AutoEncoderLoss()
        with GENERATOR:
            torch.manual_seed(training.seed)
            encoder, decoder = Encoder(shape, training.states), Decoder(shape, training.states)
            evolution = nn.Linear(training.states, training.states, bias=False)
            network = nn.ModuleList([encoder, decoder, evolution]).to(DEVICE)

            def step(x: Tensor, y: Tensor) -> Tensor:
                latent = encoder(x)
                evolved = evolution(latent)
                return loss(x, y, decoder(latent), encoder(y), evolved, decoder(evolved))

            _train(training, network, step)
        embedder = FeatureMapEmbedder(encoder=encoder, decoder=decoder, device=DEVICE)
        error = np.square(embedder.inverse_transform(embedder.transform(training.validation)) - training.validation).mean()
        of_mean = np.square(training.train.mean(axis=0) - training.validation).mean()
        if not error < 0.9 * of_mean:
            training.report.untrained = (
                f"the mean squared error of reconstructing validation snapshots is {error:.3g}, not 10 % below the "
                f"{of_mean:.3g} of the mean training snapshot"
            )
        ridge = Ridge(n_components=training.states, lag_time=training.lag)
        ridge.fit(embedder.transform(training.train))
        return Model(training, ridge, embedder, decodes=True)


def _image_shape(training: Training) -> tuple[int, ...]:
    shape = training.train.shape[1:]
    if len(shape) != 2 or any(n % 4 for n in shape):
        raise ShapeError(f"snapshots of shape {shape}; the networks take images whose sides are multiples of 4")
    return shape


def _train(training: Training, network: nn.Module, step: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Trains by AdamW, and reports."""
    batch_size, epochs = training.options["batch_size"], training.options["epochs"]
    batches = DataLoader(_dataset(*training.pairs()), batch_size, shuffle=True)
    validation = DataLoader(_dataset(*training.validation_pairs()), batch_size)
    optimizer = torch.optim.AdamW(network.parameters(), lr=training.options["lr"])
    training.report.parameters = sum(p.numel() for p in network.parameters())
    training.phase("training", epochs * len(batches))
    for epoch in range(epochs):
        network.train()
        losses = []
        for done, (x, y) in enumerate(_on_device(batches), start=epoch * len(batches) + 1):
            optimizer.zero_grad()
            loss = step(x, y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            training.advance(done)
        network.eval()
        with torch.no_grad():
            scores = [step(x, y).item() for x, y in _on_device(validation)]
        training.epoch(epoch + 1, np.mean(losses), np.mean(scores))


def _dataset(x: Snapshots, y: Snapshots) -> TensorDataset:
    return TensorDataset(torch.tensor(x), torch.tensor(y))


def _on_device(batches: DataLoader) -> Iterator[tuple[Tensor, Tensor]]:
    for x, y in batches:
        yield x.to(DEVICE), y.to(DEVICE)


def things() -> list[Method]:
    """Returns what this plugin serves."""
    return [
        Linear(),
        EncoderOnly(
            "kooplearn-vamp",
            "kooplearn's VAMPNets: an encoder trained under the VAMP-2 score",
            "Wu and Noé, Variational approach for learning Markov processes from time series data, Journal of Nonlinear Science "
            "30, 2020; Mardt, Pasquali, Wu and Noé, VAMPnets for deep learning of molecular kinetics, Nature Communications 9, "
            "2018. Covariances are not centred.",
            lambda: VampLoss(center_covariances=False),
        ),
        EncoderOnly(
            "kooplearn-contrastive",
            "kooplearn's spectral contrastive loss",
            "HaoChen, Wei, Gaidon and Ma, Provable guarantees for self-supervised deep learning with spectral contrastive loss, "
            "NeurIPS 2021, on lagged pairs.",
            SpectralContrastiveLoss,
        ),
        Autoencoder(),
    ]


if __name__ == "__main__":
    serve(*things(), version="1.0.0")
