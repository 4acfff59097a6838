"""An author's code may fork."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from host import Array, launch

PROGRAM = Path(__file__).with_name("plugin_program.py")

HOW = {
    "_exit": "7",
    "sys.exit": "4",
    "falls out": "0",
    "exits": "3",
    "terminate": "-15",
    "pool": "[0, 1, 4, 9, 16]",
}
"""How a child is forked, and what comes of it."""


@pytest.mark.parametrize("how", HOW)
def test_ten_forks_in_each_of_ten_plugins(x: Array, how: str) -> None:
    for _ in range(10):
        with launch(sys.executable, PROGRAM, how) as plugin:
            host = plugin.connect()
            assert list(host.fit_method("does", x).report.warnings) == 10 * [HOW[how]]
            host.shutdown()
            assert plugin.wait() == 0
            assert plugin.stderr() == ""


@pytest.mark.skipif(not find_spec("torch"), reason="torch is not installed")
def test_workers_of_torch(x: Array) -> None:
    with launch(sys.executable, PROGRAM, "loader") as plugin:
        host = plugin.connect()
        for _ in range(10):
            assert list(host.fit_method("does", x, timeout=120).report.warnings) == 10 * ["190.0"]
        host.shutdown()
        assert plugin.wait() == 0


def test_a_child_has_no_host(x: Array) -> None:
    with launch(sys.executable, PROGRAM, "reports") as plugin:
        host = plugin.connect()
        fitted = host.fit_method("does", x)
        assert fitted.phases == []
        assert list(fitted.report.warnings) == 10 * ["1"]
        host.shutdown()
        plugin.wait()
        assert plugin.stderr().count("UnavailableError: this is a child of the plugin's process") == 10
