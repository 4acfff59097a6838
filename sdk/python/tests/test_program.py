"""The program that a wheel carries is started as if there were no Python around it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import koopbench
from koopbench import _program


def package(folder: Path, script: str) -> dict[str, str]:
    """Copies the package with a script in the place of the program, and returns an environment that finds this copy."""
    source = Path(koopbench.__file__).parent
    (folder / "koopbench").mkdir()
    for file in source.glob("*.py"):
        (folder / "koopbench" / file.name).write_bytes(file.read_bytes())
    if script:
        (folder / "koopbench" / "bench").write_text(f"#!/bin/sh\n{script}")
        (folder / "koopbench" / "bench").chmod(0o755)
    return {**os.environ, "PYTHONPATH": str(folder)}


def test_arguments_and_status_are_its_own(tmp_path: Path) -> None:
    environment = package(tmp_path, 'printf "<%s>" "$@"; exit 3')
    done = subprocess.run(
        [sys.executable, "-m", "koopbench", "run", "a b", ""], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "<run><a b><>", "")


def test_signals_are_its_own(tmp_path: Path) -> None:
    environment = package(tmp_path, "trap 'exit 130' TERM\necho ready\nwhile :; do sleep 0.05; done")
    with subprocess.Popen([sys.executable, "-m", "koopbench"], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 130


def test_without_the_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "koopbench"], env=package(tmp_path, ""), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("koopbench: this installation of koopbench for ")
    assert _program.PLATFORMS in done.stderr
    assert f"`go build -o {tmp_path / 'koopbench' / 'bench'} ./cmd/bench`" in done.stderr
    assert done.stderr.count("\n") == 1


def test_windows_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(command: list[str]) -> int:
        assert command == [str(tmp_path / "bench.exe"), "list"]
        signal.raise_signal(signal.SIGINT)  # as Ctrl-C, which is the program's to answer
        return 130

    monkeypatch.setattr(_program, "__file__", str(tmp_path / "_program.py"))
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "argv", ["koopbench", "list"])
    monkeypatch.setattr(subprocess, "call", call)
    (tmp_path / "bench.exe").touch()
    handler = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as end:
            _program.main()
    finally:
        signal.signal(signal.SIGINT, handler)
    assert end.value.code == 130


def test_it_starts_without_numpy(tmp_path: Path) -> None:
    code = "import sys, koopbench._program; print({'numpy', 'pandas', 'grpc'} & set(sys.modules))"
    environment = package(tmp_path, "")
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
