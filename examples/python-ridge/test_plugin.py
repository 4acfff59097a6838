"""Tests of the plugin: the method by itself, and the program by a small host."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import plugin
import pytest

from koopbench_plugin import OptionError, Saved, Training

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "sdk" / "python" / "tests"))


def cycle(n: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """N noisy images of 6×5 pixels that go round in four states."""
    rng = np.random.default_rng(seed)
    states = np.random.default_rng(99).random((4, 6, 5))
    images: npt.NDArray[np.float32] = (states[np.arange(n) % 4] + 0.05 * rng.normal(size=(n, 6, 5))).astype(np.float32)
    return images


def fit(n: int = 400, lag: int = 1, **options: Any) -> tuple[plugin.Ridge, Training]:
    method = plugin.Ridge()
    training = Training(train=cycle(n), validation=cycle(40, 1), lag=lag, states=4, options=method.resolve(**options))
    method.fit(training)
    return method, training


@pytest.mark.parametrize("lag", [1, 2, 3])
def test_it_predicts_a_lag_ahead(lag: int) -> None:
    method, training = fit(lag=lag, rank=3)
    x = cycle(44, 2)
    predicted = method.predict(x[:-lag])
    assert np.abs(predicted - x[lag:]).mean() < 0.06
    assert training.report.rank == 3
    assert training.report.parameters == 2 * 3 * 30


def test_forecasts_of_a_cycle() -> None:
    method, _ = fit(rank=3)
    x = cycle(50, 2)
    for steps in (2, 3, 5):
        assert np.abs(method.forecast(x[:-steps], steps) - x[steps:]).mean() < 0.06
    np.testing.assert_array_equal(method.forecast(x, 1), method.predict(x))


def test_eigenvalues_of_a_cycle() -> None:
    # Centred, a cycle of four states has the eigenvalues i, -1, -i.
    method, _ = fit(rank=3)
    values = method.eigenvalues()
    assert values is not None
    np.testing.assert_allclose(np.sort_complex(values), np.sort_complex(np.array([1j, -1, -1j])), atol=0.05)


def test_left_eigenfunctions() -> None:
    # A left vector l of G has l'G = eigenvalue l', and sum(l * w) = 1 with the right vector w of norm 1.
    method, _ = fit(rank=4)
    g = method.encode @ method.decode
    values = method.eigenvalues()
    assert values is not None
    np.testing.assert_allclose(g.T @ method.left, method.left * values, atol=1e-9)
    right = np.linalg.pinv(method.left).T  # up to scale, within the span
    right = g @ right / values
    right /= np.linalg.norm(right, axis=0)
    np.testing.assert_allclose(np.abs(np.sum(method.left * right, axis=0)), 1, atol=1e-6)
    x = cycle(10)
    np.testing.assert_allclose(method.left_eigenfunctions(x), (x - method.mean).reshape(10, -1) @ method.left)


def test_full_rank_is_ridge_regression() -> None:
    method, training = fit(alpha=0.1, rank=30)
    x, y = ((a - method.mean).reshape(len(a), -1) for a in training.pairs())
    gradient = x.T @ (x @ method.encode @ method.decode - y) / len(x) + 0.1 * method.encode @ method.decode
    np.testing.assert_allclose(gradient, 0, atol=1e-9)


def test_reducing_the_rank_costs_least() -> None:
    # The loss of a reduced rank grows as the rank falls, and no other projection of the ridge estimate does better.
    full, training = fit(alpha=0.1, rank=30)
    x, y = ((a - full.mean).reshape(len(a), -1) for a in training.pairs())

    def loss(g: npt.NDArray[np.float64]) -> float:
        return float(np.square(x @ g - y).sum() / len(x) + 0.1 * np.square(g).sum())

    losses = [loss(m.encode @ m.decode) for m in (fit(alpha=0.1, rank=r)[0] for r in (1, 2, 3, 30))]
    assert losses == sorted(losses, reverse=True)
    weights = full.encode @ full.decode
    rng = np.random.default_rng(0)
    for _ in range(20):
        q = np.linalg.qr(rng.normal(size=(30, 2)))[0]
        assert loss(weights @ q @ q.T) >= losses[1]


@pytest.mark.parametrize("spectrum", [True, False])
def test_what_is_saved_is_the_same_model(spectrum: bool) -> None:
    method, _ = fit(rank=3)
    if not spectrum:
        method.values = None
    _, arrays = method.save().sent("save", (6, 5))
    assert sorted(arrays) == ["decode", "encode"] + ["left"] * spectrum + ["mean"] + ["values"] * spectrum
    loaded = plugin.Ridge()
    loaded.load(Saved(arrays=arrays))
    x = cycle(10)
    np.testing.assert_array_equal(loaded.predict(x), method.predict(x))
    if spectrum:
        np.testing.assert_array_equal(loaded.eigenvalues(), method.eigenvalues())
        np.testing.assert_array_equal(loaded.left_eigenfunctions(x), method.left_eigenfunctions(x))
    else:
        assert loaded.eigenvalues() is None


def test_options() -> None:
    assert plugin.Ridge().resolve() == {"alpha": 1e-2, "rank": 0}
    with pytest.raises(OptionError, match="alpha"):
        plugin.Ridge().resolve(alpha=-1)
    assert fit(rank=0)[1].report.rank == 4, "the number of states"
    assert fit(rank=10_000)[1].report.rank == 30, "the number of pixels"


def test_the_program() -> None:
    from host import launch

    from koopbench_plugin.wire import plugin_pb2 as wire

    x = cycle(60)
    with launch(sys.executable, HERE / "plugin.py") as program:
        host = program.connect()
        fitted = host.fit_method("python-ridge", x, states=4, options={"alpha": 1e-2, "rank": 0})
        assert fitted.abilities == ["forecast", "save", "spectrum"]
        local = plugin.Ridge()
        local.fit(Training(train=x, validation=x, states=4, options=local.resolve()))
        np.testing.assert_array_equal(host.apply(fitted.handle, wire.PREDICT, x), local.predict(x).astype(np.float32))
        left = host.apply(fitted.handle, wire.LEFT_EIGENFUNCTIONS, x)
        assert left.shape == (60, 4)


def test_the_head_asks_for_what_it_imports() -> None:
    first, *head = (HERE / "plugin.py").read_text().partition("# ///\n")[0].splitlines()
    assert first == "#!/usr/bin/env -S uv run --script"
    assert '# dependencies = ["koopbench", "numpy"]' in head
    assert (HERE / "../../sdk/python/pyproject.toml").exists()
    assert '# koopbench = { path = "../../sdk/python" }' in head


@pytest.mark.skipif(not shutil.which("uv"), reason="uv is not installed")
def test_it_starts_from_anywhere() -> None:
    done = subprocess.run([HERE / "plugin.py"], cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "It serves\n  method python-ridge:" in done.stderr
