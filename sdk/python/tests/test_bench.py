"""koopbench itself holds plugins to their contracts: `bench plugin check`, and rows of the table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples import Descent
from test_readme import LIBRARIES, example

from koopbench_plugin import Training

BENCH = os.environ.get("KOOPBENCH_BENCH", "")
pytestmark = pytest.mark.skipif(not BENCH, reason="KOOPBENCH_BENCH names no bench: go build -o FILE ./cmd/bench makes one")

# The threads of BLAS would outnumber the cores, and wait for one another.
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BENCH, *map(str, arguments)], capture_output=True, text=True, env=ENVIRONMENT, check=False)


def check(program: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Returns the status of each check, by kind and name of the thing."""
    done = bench("plugin", "check", program, "--json")
    assert done.stdout, done.stderr
    reports: list[dict[str, Any]] = json.loads(done.stdout)["reports"]
    failures = [
        f"{r['kind']} {r['name']}: {c['check']}: {c.get('found', '')}"
        for r in reports
        for c in r["results"]
        if c["status"] not in ("pass", "skip")
    ]
    assert not failures, "\n".join(failures)
    assert done.returncode == 0, done.stderr
    return {(r["kind"], r["name"]): {c["check"]: c["status"] for c in r["results"]} for r in reports}


def starting(program: Path, code: str) -> Path:
    """Writes a program that this Python runs."""
    program.write_text(f"#!{sys.executable}\n{code}")
    program.chmod(0o755)
    return program


@pytest.fixture
def all_kinds(tmp_path: Path) -> Path:
    """A plugin that serves all six kinds."""
    tests = str(Path(__file__).parent)
    return starting(tmp_path / "plugin.py", f"import sys; sys.path.insert(0, {tests!r}); import all_kinds; all_kinds.main()")


def test_all_six_kinds_keep_their_contracts(all_kinds: Path) -> None:
    checked = check(all_kinds)
    assert list(checked)[1:] == [  # the first report is of the program
        ("method", "ridge"),
        ("method", "descent"),
        ("embedder", "pca"),
        ("operator", "least-squares"),
        ("loss", "squares"),
        ("oracle", "nearest"),
        ("task", "circle"),
    ]
    for thing, name in [
        (("method", "ridge"), "eigenfunctions"),
        (("method", "descent"), "seeds"),
        (("method", "descent"), "cancelled-fit"),
        (("method", "descent"), "concurrent-fits"),
        (("embedder", "pca"), "decoder"),
        (("operator", "least-squares"), "eigenvectors"),
        (("loss", "squares"), "gradients"),
        (("oracle", "nearest"), "encoder"),
        (("task", "circle"), "score-rows"),
    ]:
        assert checked[thing][name] == "pass", f"{name} of {thing} is skipped"


def test_all_kinds_come_to_the_table(all_kinds: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    methods = "ridge,descent,embedder:pca,operator:least-squares,loss:squares"
    done = bench(
        *("run", "--plugin", all_kinds, "--methods", methods, "--oracle", "plugin:nearest", "--epochs", "2"),
        *("--split", "100,20,20", "--steps", "2", "--out", folder, "--quiet"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((folder / "results.json").read_text())
    assert {r["method"]: r["status"] for r in results["runs"]} == dict.fromkeys(methods.split(","), "ok")
    assert "nearest" in json.dumps(results["oracle"])
    (descent,) = (r for r in results["runs"] if r["method"] == "descent")
    assert [e["epoch"] for e in descent["history"]] == [1, 2]


def test_a_task_comes_to_the_table(all_kinds: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    command = ("run", "--plugin", all_kinds, "--methods", "linear", "--task", "circle?steps=4", "--out", folder, "--quiet")
    done = bench(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((folder / "results.json").read_text())
    assert results["task"]["measure"]["name"] == "nrmse"
    (run,) = results["runs"]
    assert [(e["protocol"], e["status"], len(e["score"])) for e in run["evaluations"]] == [
        ("reencode", "ok", 4),
        ("powers", "ok", 4),
    ]
    assert max(run["evaluations"][0]["score"]) < 0.2


def test_remedies_speak_python(tmp_path: Path) -> None:
    code = """
from koopbench_plugin import Loss, LossValue, serve

class Careless(Loss):
    "It looks at nothing."
    name = "careless"
    summary = "infinite for a batch of one row"

    def evaluate(self, x, y):
        if len(x) == 1:
            raise ValueError("one row")
        d = x - y
        return LossValue((d * d).sum() / 2, d, -d)

serve(Careless())
"""
    done = bench("plugin", "check", starting(tmp_path / "careless", code), "--json")
    _, report = json.loads(done.stdout)["reports"]
    results = {r["check"]: r for r in report["results"]}
    assert results["degenerate"]["status"] == "fail"
    assert results["errors"]["checked"].startswith("evaluate raises ShapeError for views of different shapes")
    assert "ErrShape" not in done.stdout
    assert "package core" not in done.stdout


def test_a_fit_by_hand(all_kinds: Path, tmp_path: Path) -> None:
    file = tmp_path / "training.npz"
    done = bench("data", "--out", file, "--split", "100,20,20", "--num-digits", "4", "--labels")
    assert done.returncode == 0, done.stderr
    training = Training.load(file, options=Descent().resolve(epochs=2), seed=7, name="descent")
    assert (training.train.shape, training.validation.shape) == ((100, 28, 28), (20, 28, 28))
    assert (training.lag, training.states, training.seed) == (1, 4, 7)
    assert training.train_labels is not None
    assert list(training.train_labels[:5]) == [0, 1, 2, 3, 0]
    with pytest.raises(ValueError, match="read-only"):
        training.train[0] = 0
    predict = Descent().fit(training)

    done = bench(
        *("plugin", "fit", all_kinds, "--method", "descent?epochs=2", "--seed", "7", "--split", "100,20,20", "--num-digits", "4")
    )
    assert done.returncode == 0, done.stderr
    *epochs, errors = done.stdout.splitlines()
    assert [line.split(",")[0] for line in epochs] == [f"epoch {e.number}: loss {e.train:.6g}" for e in training.report.history]
    now, following = training.validation_pairs()
    assert f"snapshots: {np.square(predict(now).astype(np.float32) - following).mean():.6g};" in errors


def test_a_debugger_has_the_terminal(tmp_path: Path) -> None:
    code = """
from koopbench_plugin import Method, serve

class Stops(Method):
    name = "stops"
    summary = "stops in its fit"
    def fit(self, training):
        breakpoint()
        raise KeyError("after the debugger")

serve(Stops())
"""
    plugin = starting(tmp_path / "stops.py", code)
    command = [BENCH, "plugin", "fit", str(plugin), "--split", "10,4,2"]
    done = subprocess.run(
        command, input="p training.train.shape\ncontinue\n", capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert done.returncode == 1
    assert "(10, 28, 28)" in done.stdout
    assert "KeyError: 'after the debugger'" in done.stderr
    assert "the fit of stops failed" in done.stderr


def test_no_other_file_is_fitted(tmp_path: Path) -> None:
    code = """
import pathlib
from koopbench_plugin import Method, serve

class Changing(Method):
    name = "changing"
    summary = "another file once it has said what it is"
    def fit(self, training):
        print("fitted")

with pathlib.Path(__file__).open("a") as file:
    file.write("# changed")
serve(Changing())
"""
    done = bench("plugin", "fit", starting(tmp_path / "changing.py", code), "--split", "10,4,2")
    assert done.returncode == 1
    assert "has changed since it was described" in done.stderr
    assert "fitted" not in done.stdout


def test_a_stored_model_predicts(tmp_path: Path) -> None:
    tests = str(Path(__file__).parent)
    code = f"import sys; sys.path.insert(0, {tests!r}); import test_saved, koopbench_plugin as k; k.serve(test_saved.Keeps())"
    plugin = starting(tmp_path / "plugin.py", code)
    assert check(plugin)["method", "ridge"]["saved"] == "pass"
    folder = tmp_path / "results"
    done = bench(
        *("run", "--plugin", plugin, "--methods", "ridge", "--epochs", "1", "--split", "100,20,20", "--steps", "2"),
        *("--save-models", "--out", folder, "--quiet"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (model,) = (folder / "runs").glob("ridge-*.model.npz")
    np.save(tmp_path / "images.npy", np.random.default_rng(0).random((3, 28, 28), dtype=np.float32))
    arguments = ("--input", tmp_path / "images.npy", "--steps", "2", "--out", tmp_path / "predictions")
    done = bench("predict", "--model", model, "--plugin", plugin, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    with np.load(tmp_path / "predictions" / "predictions.npz") as file:
        assert file["images"].shape == (2, 3, 28, 28)


@pytest.mark.parametrize("library", LIBRARIES[1:])
def test_the_readmes_examples_keep_their_contract(library: str, tmp_path: Path) -> None:
    _, checked = check(starting(tmp_path / "my_plugin.py", example(library))).values()
    assert checked["learns"] == "pass"
