#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.10"
# dependencies = ["koopbench", "numpy"]
#
# [tool.uv.sources]
# koopbench = { path = "../../sdk/python" }
# ///
"""A plugin of koopbench in Python: reduced-rank ridge regression from the pixels of an image to those of the next."""

import numpy as np
import numpy.typing as npt

from koopbench_plugin import FloatOption, IntOption, Matrix, Method, Saved, Snapshots, Training, serve

Complex = npt.NDArray[np.complex128]


class Ridge(Method):
    """Reduced-rank ridge regression on centred pixels.

    With covariances C and cross-covariances D of the n lagged pairs, the ridge estimate is W = (C + alpha I)^-1 D. Its rank is
    reduced by projecting on the leading eigenvectors V of W' (C + alpha I) W: G = W V V' (Mukherjee and Zhu, Reduced rank
    ridge regression and its kernel extensions, Statistical Analysis and Data Mining 4, 2011, section 2). The eigenvalues are
    those of V' W V.
    """

    name = "python-ridge"
    summary = "reduced-rank ridge regression on pixels, in Python"
    options = (
        FloatOption("alpha", 1e-2, 1e-12, 1e6, "Tikhonov regularisation"),
        IntOption("rank", 0, 0, 10_000, "rank of the operator, 0 for the number of states"),
    )

    def fit(self, training: Training) -> None:
        self.mean = training.train.mean(axis=0, dtype=np.float64)
        x, y = (self._features(snapshots) for snapshots in training.pairs())
        covariance = x.T @ x / len(x) + training.options["alpha"] * np.eye(x.shape[1])
        weights = np.linalg.solve(covariance, x.T @ y / len(x))
        training.check()

        rank = min(training.options["rank"] or training.states, x.shape[1])
        _, vectors = np.linalg.eigh(weights.T @ covariance @ weights)
        leading = vectors[:, : -rank - 1 : -1]  # the eigenvalues of eigh ascend
        self.encode, self.decode = weights @ leading, leading.T

        values, right = np.linalg.eig(self.decode @ self.encode)
        left = self.decode.T @ np.linalg.pinv(right).T
        scale = np.sum(left * _unit(self.encode @ right), axis=0)
        if np.abs(scale).min() < 1e-12 * np.linalg.norm(left, axis=0).max():
            training.warn("the operator has no basis of eigenvectors: its spectrum is left out")
            self.values: Complex | None = None
        else:
            self.values, self.left = values, left / scale
        training.report.rank = rank
        training.report.parameters = self.encode.size + self.decode.size

    def predict(self, snapshots: Snapshots) -> Matrix:
        return self.forecast(snapshots, 1)

    def forecast(self, snapshots: Snapshots, steps: int) -> Matrix:
        reduced = self._features(snapshots) @ self.encode
        for _ in range(steps - 1):
            reduced = reduced @ (self.decode @ self.encode)
        predicted: Matrix = (reduced @ self.decode).reshape(snapshots.shape) + self.mean
        return predicted

    def eigenvalues(self) -> Complex | None:
        return self.values

    def left_eigenfunctions(self, snapshots: Snapshots) -> Complex:
        values: Complex = self._features(snapshots) @ self.left
        return values

    def save(self) -> Saved:
        arrays = {"mean": self.mean, "encode": self.encode, "decode": self.decode}
        if self.values is not None:
            arrays |= {"values": _parts(self.values), "left": _parts(self.left)}
        return Saved(arrays=arrays)

    def load(self, saved: Saved) -> None:
        arrays = {name: np.asarray(array) for name, array in saved.arrays.items()}
        self.mean, self.encode, self.decode = arrays["mean"], arrays["encode"], arrays["decode"]
        self.values = None
        if "values" in arrays:
            self.values, self.left = (arrays[name].view(np.complex128)[..., 0] for name in ("values", "left"))

    def _features(self, snapshots: Snapshots) -> Matrix:
        centred: Matrix = (snapshots - self.mean).reshape(len(snapshots), -1)
        return centred


def _parts(numbers: Complex) -> Matrix:
    """Complex numbers as pairs of real ones, which can be stored."""
    pairs: Matrix = np.ascontiguousarray(numbers, np.complex128)[..., None].view(np.float64)
    return pairs


def _unit(columns: Complex) -> Complex:
    norms = np.linalg.norm(columns, axis=0)
    return columns / np.where(norms > 0, norms, 1)


if __name__ == "__main__":
    serve(Ridge(), version="1.2.0")
