"""Time the Ordered MNIST experiment of kooplearn and torch, part by part.

The experiment is the one that koopbench's `bench run --methods notebook` performs: the same images, networks, losses,
optimiser, epochs and evaluation, as in kooplearn's example "Ordered MNIST (torch)". Figures are not drawn.

    python kooplearn_ordered_mnist.py --data dataset/mnist --out whole.json
    python kooplearn_ordered_mnist.py --data dataset/mnist --steps --out steps.json

The first writes the seconds of each part, the second the milliseconds of single steps. Everything runs on the processor.
"""

import time

STARTED = time.perf_counter()  # before the imports, which are a part of the whole

import argparse
import contextlib
import gzip
import json
import os
import platform
import resource
import statistics
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from kooplearn.linear_model import Ridge
from kooplearn.preprocessing import FeatureFlattener
from kooplearn.torch.nn import AutoEncoderLoss, SpectralContrastiveLoss, VampLoss
from kooplearn.torch.utils import FeatureMapEmbedder
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DIGITS = 5
TRAIN, VALIDATION, TEST = slice(0, 3000), slice(3000, 4000), slice(4000, 5000)
BATCH = 64
ORACLE_EPOCHS, ORACLE_RATE = 20, 8e-4
METHOD_EPOCHS, METHOD_RATE = 50, 2e-3
ROLL_OUT_STEPS = 15
METHODS = ("linear", "vamp", "contrastive", "autoencoder", "classifier")


class Encoder(nn.Sequential):
    """Images, n×28×28, to DIGITS features."""

    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 16, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, DIGITS),
        )

    def forward(self, x):
        return super().forward(x.unsqueeze(1))


class Decoder(nn.Sequential):
    """DIGITS features to images, n×28×28."""

    def __init__(self):
        super().__init__(
            nn.Linear(DIGITS, 32 * 7 * 7),
            nn.Unflatten(1, (32, 7, 7)),
            nn.Upsample(scale_factor=2),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 16, kernel_size=5, padding=2),
            nn.Upsample(scale_factor=2),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, kernel_size=5, padding=2),
        )

    def forward(self, z):
        return super().forward(z).squeeze(1)


class Classifier(nn.Module):
    """The oracle: the encoder's features are logits."""

    def __init__(self):
        super().__init__()
        self.encoder = Encoder()

    def loss(self, images, labels):
        return nn.functional.cross_entropy(self.encoder(images), labels)


class FeatureMap(nn.Module):
    """Features of unit length, trained by a loss of two views, of which the lagged one passes a linear map more."""

    def __init__(self, criterion):
        super().__init__()
        self.encoder = Encoder()
        self.lagged = nn.Linear(DIGITS, DIGITS, bias=False)
        self.criterion = criterion

    def forward(self, x):
        return nn.functional.normalize(self.encoder(x), dim=-1)

    def loss(self, x, y):
        return self.criterion(self(x), self.lagged(self(y)))


class AutoEncoder(nn.Module):
    """Encoder, decoder and a linear evolution of the features, trained together."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()
        self.evolution = nn.Linear(DIGITS, DIGITS, bias=False)
        self.criterion = AutoEncoderLoss()

    def loss(self, x, y):
        x_encoded, y_encoded = self.encoder(x), self.encoder(y)
        x_evolved = self.evolution(x_encoded)
        return self.criterion(x, y, self.decoder(x_encoded), y_encoded, x_evolved, self.decoder(x_evolved))


def read_idx(path: Path) -> np.ndarray:
    """The array in a gzip-compressed IDX file of bytes."""
    with gzip.open(path) as file:
        content = file.read()
    axes = content[3]
    shape = np.frombuffer(content, ">i4", count=axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def ordered_mnist(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The images 0, 1, …, DIGITS-1, 0, 1, … in file order, n×28×28 in [0, 1], and their labels."""
    splits = ("train", "t10k")
    pixels = np.concatenate([read_idx(folder / f"{s}-images-idx3-ubyte.gz") for s in splits])
    labels = np.concatenate([read_idx(folder / f"{s}-labels-idx1-ubyte.gz") for s in splits]).astype(np.int64)
    by_digit = [np.flatnonzero(labels == digit) for digit in range(DIGITS)]
    rarest = min(map(len, by_digit))
    order = np.stack([indices[:rarest] for indices in by_digit], axis=1).ravel()
    return pixels[order] / 255.0, labels[order]


def as_tensor(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images).float()


def lagged_pairs(images: np.ndarray) -> TensorDataset:
    x = as_tensor(images)
    return TensorDataset(x[:-1], x[1:])


def optimiser(model: nn.Module, rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=rate)


def train_step(model: nn.Module, adam: torch.optim.Optimizer, batch: list[torch.Tensor]) -> float:
    adam.zero_grad()
    loss = model.loss(*batch)
    loss.backward()
    adam.step()
    return loss.item()


def train(model: nn.Module, data: TensorDataset, validation: DataLoader, epochs: int, rate: float) -> None:
    """Train by AdamW on shuffled batches, and validate after every epoch."""
    adam = optimiser(model, rate)
    batches = DataLoader(data, BATCH, shuffle=True)
    for _ in range(epochs):
        model.train()
        for batch in batches:
            train_step(model, adam, batch)
        model.eval()
        with torch.no_grad():
            for batch in validation:
                model.loss(*batch).item()


def embedder(encoder: nn.Module, decoder: nn.Module | None = None) -> FeatureMapEmbedder:
    return FeatureMapEmbedder(encoder=encoder, decoder=decoder, device="cpu")


class Experiment:
    """All parts in order; each method is a fitted ridge regression and what turns images into its features."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.seconds = {"import": time.perf_counter() - STARTED}
        self.models = {}

    @contextlib.contextmanager
    def part(self, name: str):
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def epochs(self, usual: int) -> int:
        return min(usual, self.arguments.epochs or usual)

    def run(self) -> dict:
        with self.part("data"):
            self.images, self.labels = ordered_mnist(self.arguments.data)
        self.oracle = self.timed_fit("oracle", self.fit_oracle)
        fits = {
            "linear": self.fit_linear,
            "vamp": lambda: self.fit_feature_map(VampLoss(center_covariances=False)),
            "contrastive": lambda: self.fit_feature_map(SpectralContrastiveLoss()),
            "autoencoder": self.fit_autoencoder,
            "classifier": self.fit_classifier,
        }
        for name in self.arguments.only or fits:
            self.models[name] = self.timed_fit(name, fits[name])
        accuracy = {name: self.roll_out(*model) for name, model in self.models.items()}
        self.seconds["total"] = time.perf_counter() - STARTED
        return {"seconds": self.seconds, "accuracy": accuracy, "oracle_test_accuracy": self.judge(self.images[TEST], 0)}

    def timed_fit(self, name: str, fit):
        torch.manual_seed(self.arguments.seed)
        with self.part(name):
            fitted = fit()
        print(f"  {name}: {self.seconds[name]:.2f} s", file=sys.stderr, flush=True)
        return fitted

    def fit_oracle(self) -> Classifier:
        model = Classifier()
        sets = [TensorDataset(as_tensor(self.images[s]), torch.from_numpy(self.labels[s])) for s in (TRAIN, VALIDATION)]
        train(model, sets[0], DataLoader(sets[1], len(sets[1])), self.epochs(ORACLE_EPOCHS), ORACLE_RATE)
        return model

    def fit_linear(self):
        scaled = make_pipeline(FeatureFlattener(), StandardScaler()).fit(self.images[TRAIN])
        return Ridge(n_components=DIGITS, eigen_solver="dense").fit(scaled.transform(self.images[TRAIN])), scaled

    def fit_classifier(self):
        logits = embedder(self.oracle.encoder)
        return self.ridge(logits, observable=self.images[TRAIN]), logits

    def fit_feature_map(self, criterion: nn.Module):
        model = FeatureMap(criterion)
        self.train_pairs(model)
        features = embedder(model)
        return self.ridge(features, observable=as_tensor(self.images[TRAIN]).numpy()), features

    def fit_autoencoder(self):
        model = AutoEncoder()
        self.train_pairs(model)
        features = embedder(model.encoder, model.decoder)
        return self.ridge(features), features

    def train_pairs(self, model: nn.Module) -> None:
        validation = DataLoader(lagged_pairs(self.images[VALIDATION]), BATCH)
        train(model, lagged_pairs(self.images[TRAIN]), validation, self.epochs(METHOD_EPOCHS), METHOD_RATE)

    def ridge(self, features: FeatureMapEmbedder, observable: np.ndarray | None = None) -> Ridge:
        return Ridge(n_components=DIGITS).fit(features.transform(self.images[TRAIN]), y=observable)

    def roll_out(self, ridge: Ridge, features) -> list[float]:
        """Accuracy at each step, the predicted images being the next step's input."""
        images, accuracy = self.images[TEST], []
        for step in range(1, ROLL_OUT_STEPS + 1):
            with self.part("prediction"):
                images = predict(ridge, features, images)
            with self.part("judging"):
                accuracy.append(self.judge(images, step))
        return accuracy

    @torch.no_grad()
    def judge(self, images: np.ndarray, step: int) -> float:
        labels = self.oracle.encoder(as_tensor(images)).argmax(dim=1).numpy()
        return float(np.mean(labels == (self.labels[TEST] + step) % DIGITS))


def predict(ridge: Ridge, features, images: np.ndarray) -> np.ndarray:
    """The images expected one step later."""
    if isinstance(features, FeatureMapEmbedder) and features.decoder is None:
        return ridge.predict(features.transform(images), observable=True)
    return features.inverse_transform(ridge.predict(features.transform(images)))


def median_milliseconds(step, least_seconds: float) -> float:
    """The median time of a call, after some that are not counted."""
    for _ in range(5):
        step()
    times, end = [], time.perf_counter() + least_seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def time_steps(arguments) -> dict:
    """Milliseconds of a training step on one fixed batch, of embedding, and of the linear method's regression."""
    images, labels = ordered_mnist(arguments.data)
    views = [as_tensor(images[:BATCH]), as_tensor(images[1 : BATCH + 1])]

    def training(model: nn.Module, batch: list[torch.Tensor], rate: float):
        adam = optimiser(model, rate)
        return lambda: train_step(model, adam, batch)

    torch.manual_seed(arguments.seed)
    encoder, test = embedder(Encoder()), as_tensor(images[TEST])
    pixels = make_pipeline(FeatureFlattener(), StandardScaler()).fit_transform(images[TRAIN])
    steps = {
        "vamp": training(FeatureMap(VampLoss(center_covariances=False)), views, METHOD_RATE),
        "contrastive": training(FeatureMap(SpectralContrastiveLoss()), views, METHOD_RATE),
        "autoencoder": training(AutoEncoder(), views, METHOD_RATE),
        "oracle": training(Classifier(), [views[0], torch.from_numpy(labels[:BATCH])], ORACLE_RATE),
        "embed": lambda: encoder.transform(test),
        "ridge": lambda: Ridge(n_components=DIGITS, eigen_solver="dense").fit(pixels),
    }
    return {"milliseconds": {name: median_milliseconds(step, least_seconds=1.0) for name, step in steps.items()}}


def peak_rss_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def versions() -> dict[str, str]:
    packages = ("kooplearn", "numpy", "scikit-learn", "scipy", "torch")
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in packages}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the four .gz files of MNIST")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--seed", type=int, default=42, help="of every network and shuffle")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of torch and of numpy's linear algebra")
    parser.add_argument("--epochs", type=int, default=0, help="train nothing for more epochs; 0 is no limit")
    parser.add_argument("--only", nargs="+", choices=METHODS, help="methods to train; all without it")
    parser.add_argument("--steps", action="store_true", help="time single steps in place of the whole")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    threadpool_limits(arguments.threads)
    result = time_steps(arguments) if arguments.steps else Experiment(arguments).run()
    result |= {
        "seed": arguments.seed,
        "threads": arguments.threads,
        "peak_rss_bytes": peak_rss_bytes(),
        "versions": versions(),
    }
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
