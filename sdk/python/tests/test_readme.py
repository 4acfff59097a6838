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


def in_readme() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    return str(code)


def in_docstring() -> str:
    code = (koopbench_plugin.__doc__ or "").split("and serve it:\n", 1)[1].split("\nThe five kinds", 1)[0]
    return textwrap.dedent(code)


@pytest.mark.parametrize("code", [in_readme, in_docstring])
def test_example(code: object, tmp_path: Path, x: Array) -> None:
    program = tmp_path / "my_ridge.py"
    program.write_text(code())  # type: ignore[operator]
    with launch(sys.executable, program) as plugin:
        host = plugin.connect()
        assert [t.name for t in host.describe().things] == ["my-ridge"]
        fitted = host.fit_method("my-ridge", x, options={"alpha": 1e-6})
        predicted = host.apply(fitted.handle, wire.PREDICT, x)
        assert np.square(predicted[:-1] - x[1:]).mean() < np.square(x[1:]).mean()


def test_every_name_that_the_readme_imports_or_raises_exists() -> None:
    names = set(re.findall(r"`([A-Z]\w+)(?:\(.*?\))?`", README)) - {"A", "None", "TMPDIR"}
    assert len(names) > 10
    assert names <= set(koopbench_plugin.__all__), names - set(koopbench_plugin.__all__)
