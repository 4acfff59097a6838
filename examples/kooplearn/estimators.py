"""kooplearn's estimators and the networks of its notebook "Ordered MNIST (torch)". It is imported in a fit: torch takes seconds.

Networks, losses, initialisation, optimiser and the order in which random numbers are drawn are the notebook's, so that a seed
here is the seed given to torch there.
"""

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

from koopbench_plugin import Snapshots, Training

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Model:
    """A fitted kooplearn regression on the features of an embedder.

    kooplearn computes its matrices anew at every call. All that is asked here is linear in the features, so it is asked once, of
    the unit vectors.
    """

    def __init__(self, training: Training, ridge: Ridge, embedder: Any, decodes: bool) -> None:
        self._embedder, self._decodes = embedder, decodes
        first = embedder.transform(training.train[:1])
        unit = np.eye(first.shape[1], dtype=first.dtype)
        self._next = np.asarray(ridge.predict(unit, observable=not decodes)).reshape(len(unit), -1)
        self._values = ridge.eig(eval_left_on=unit) if ridge.rank_ else None
        training.report.rank = ridge.rank_
        if ridge.rank_ < training.states:
            training.warn(f"kooplearn's regression kept {ridge.rank_} of {training.states} dimensions")

    def predict(self, snapshots: Snapshots) -> npt.ArrayLike:
        predicted = _by_rows(self._embedder.transform(snapshots), self._next)
        if self._decodes:
            return self._embedder.inverse_transform(predicted)
        return predicted.reshape(snapshots.shape)

    def eigenvalues(self) -> npt.ArrayLike | None:
        return None if self._values is None else self._values[0]

    def left_eigenfunctions(self, snapshots: Snapshots) -> npt.ArrayLike:
        return _by_rows(self._embedder.transform(snapshots), self._values[1])


def _by_rows(features: Any, matrix: Any) -> Any:
    """Multiplies row by row: BLAS sums in an order that depends on the number of rows."""
    return np.stack([row @ matrix for row in features])


def linear(training: Training) -> Model:
    """Fits the regression to standardised pixels, in float64."""
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


def vamp(training: Training) -> Model:
    """Trains an encoder under the VAMP-2 score of uncentred covariances."""
    return _encoder_only(training, VampLoss(center_covariances=False))


def contrastive(training: Training) -> Model:
    """Trains an encoder under the spectral contrastive loss."""
    return _encoder_only(training, SpectralContrastiveLoss())


def _encoder_only(training: Training, loss: nn.Module) -> Model:
    """Trains an encoder on lagged pairs, then fits a regression on its features with the images as observable."""
    _seed(training)
    network = Normalised(training.train.shape[1:], training.states).to(DEVICE)
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


def autoencoder(training: Training) -> Model:
    """Trains an encoder, a decoder and a linear map between latents, then fits a regression on the latents."""
    _seed(training)
    shape, loss = training.train.shape[1:], AutoEncoderLoss()
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
            f"the mean squared error of reconstructing validation snapshots is {error:.3g}, not 10% below the "
            f"{of_mean:.3g} of the mean training snapshot"
        )
    ridge = Ridge(n_components=training.states, lag_time=training.lag)
    ridge.fit(embedder.transform(training.train))
    return Model(training, ridge, embedder, decodes=True)


def _seed(training: Training) -> None:
    """Seeds torch as the notebook does. Its generator takes 32 bits: seeds beyond them are mixed."""
    seed = training.seed if 0 <= training.seed < 2**32 else int(training.rng("torch").integers(2**32))
    torch.manual_seed(seed)


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
