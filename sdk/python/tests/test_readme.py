"""The examples that the documentation shows work as they are."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from host import Array, launch

import koopbench_plugin
from koopbench_plugin.wire import plugin_pb2 as wire

README = (Path(__file__).parents[1] / "README.md").read_text()


def in_readme(library: str) -> str:
    """Returns the example in the README that imports a library first."""
    (code,) = (c for c in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if re.search(rf"python3\nimport {library}\b", c))
    return str(code)


def in_docstring() -> str:
    code = (koopbench_plugin.__doc__ or "").split("and serve it:\n", 1)[1].split("\nThe six kinds", 1)[0]
    return textwrap.dedent(code)


def example(library: str) -> str:
    """Returns an example that can run here."""
    if library == "":
        return in_docstring()
    if library != "numpy":
        pytest.importorskip(library, reason=f"the example needs {library}, which is not installed")
    return in_readme(library)


LIBRARIES = ["", "numpy", "torch", "jax"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_example(library: str, tmp_path: Path) -> None:
    code = example(library)
    program = tmp_path / "my_plugin.py"
    program.write_text(code)
    states = np.random.default_rng(1).random((4, 5, 6))
    noise = np.random.default_rng(2).normal(size=(200, 5, 6)) / 20
    x: Array = (states[np.arange(200) % 4] + noise).astype(np.float32)
    with launch(sys.executable, program) as plugin:
        host = plugin.connect()
        (thing,) = host.describe().things
        options = {o.name: getattr(o.default, o.default.WhichOneof("value") or "") for o in thing.options}
        fits = [host.fit_method(thing.name, x[:160], x[160:], options=options, seed=seed) for seed in (1, 1)]
        once, again = (host.apply(f.handle, wire.PREDICT, x[160:]) for f in fits)
        np.testing.assert_array_equal(once, again)
        of_mean = np.square(x[:160].mean(0) - x[161:]).mean()
        assert np.square(once[:-1] - x[161:]).mean() < 0.5 * of_mean


@pytest.mark.parametrize("library", LIBRARIES[1:])
def test_examples_are_short(library: str) -> None:
    code = in_readme(library).split("\n\n\n")[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 21, "the class itself"


def test_every_name_that_the_readme_imports_or_raises_exists() -> None:
    names = set(re.findall(r"`([A-Z]\w+)(?:\(.*?\))?`", README)) - {"A", "DataLoader", "None", "TMPDIR"}
    assert len(names) > 10
    assert names <= set(koopbench_plugin.__all__), names - set(koopbench_plugin.__all__)
