"""Tests of kernels.py: the faults of kooplearn 2.0.3 that docs/kooplearn.md tells of. If one fails, the page has to change."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import kernels
import numpy as np
import numpy.typing as npt
import pytest

from koopbench_plugin import TooShortError, Training, UnavailableError

fits = pytest.mark.skipif(not find_spec("kooplearn"), reason="it needs kooplearn, as the head of kernels.py says")

METHODS = {m.name: m for m in kernels.things()}


def turning(n: int) -> npt.NDArray[np.float32]:
    """N points that turn in the plane and draw nearer to the origin."""
    points = np.exp((-0.02 + 0.3j) * np.arange(n))
    return np.stack([points.real, points.imag], axis=1).astype(np.float32)


def training(name: str, **options: Any) -> Training:
    x = turning(120)
    return Training(
        train=x[:80], validation=x[80:], states=2, seed=1, name=name, options=METHODS[name].resolve(kernel="linear", **options)
    )


@fits
@pytest.mark.parametrize("name", METHODS)
def test_one_step_too_few(name: str) -> None:
    x = turning(40)
    model = METHODS[name].fit(training(name))
    for steps in (1, 2, 3):
        errors = [np.abs(model.forecast(x[:30], steps) - x[k : k + 30]).max() for k in range(4)]
        assert np.argmin(errors) == steps - 1
        assert errors[steps - 1] < 0.05
    np.testing.assert_array_equal(model.predict(x), model.forecast(x, 1))
    assert np.abs(model.eigenvalues()) == pytest.approx(2 * [np.exp(-0.02)], abs=0.01)
    assert np.asarray(model.left_eigenfunctions(x)).shape == (40, 2)


@fits
def test_the_reduced_rank_of_centres_ignores_alpha() -> None:
    def eigenvalues(variant: str, alpha: float) -> npt.ArrayLike:
        return METHODS["kooplearn-nystroem"].fit(training("kooplearn-nystroem", variant=variant, alpha=alpha)).eigenvalues()

    np.testing.assert_array_equal(eigenvalues("reduced-rank", 1e-6), eigenvalues("reduced-rank", 1e3))
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(eigenvalues("principal-components", 1e-6), eigenvalues("principal-components", 1e3))


@fits
def test_alpha_means_another_thing_to_each_class() -> None:
    least = [
        np.abs(METHODS[name].fit(training(name, variant="principal-components", alpha=0.1)).eigenvalues()).min()
        for name in METHODS
    ]
    assert least[0] < 0.95 < 0.97 < least[1]


@pytest.mark.parametrize("name", METHODS)
def test_data_that_it_does_not_take(name: str) -> None:
    t = training(name)
    t.train_lengths = [1, 79]
    with pytest.raises(UnavailableError, match="there are 2 trajectories"):
        METHODS[name].fit(t)
    t = training(name)
    t.train = t.train[:2]
    with pytest.raises(TooShortError, match="2 training snapshots"):
        METHODS[name].fit(t)


def test_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    """The blocks of docs/kooplearn.md that need no torch print what stands below them."""
    pytest.importorskip("kooplearn")
    page = (Path(__file__).resolve().parents[2] / "docs" / "kooplearn.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == page.count("```python") == 5
    names: dict[str, Any] = {}
    for code, wanted in blocks[:-1]:
        exec(code, names)
        assert capsys.readouterr().out == wanted
