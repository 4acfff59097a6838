from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import koopbench
import koopbench_plugin

pandas = pytest.importorskip("pandas")  # an extra of the package

SCHEMA1 = Path(__file__).resolve().parents[3] / "cli" / "testdata" / "schema1"


def run(method: str, seed: int, evaluations: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    common = {
        "key": f"{method}-s{seed}",
        "method": method,
        "name": method,
        "seed": seed,
        "status": "ok",
        "reason": "",
        "trained": True,
    }
    return common | {"evaluations": evaluations, "history": [], "eigenvalues": []} | fields


def folder(path: Path, **fields: Any) -> Path:
    task = {"name": "waves", "measure": {"name": "nrmse"}, "eigenvalues": [[1, 0], [0.5, 0.25]]}
    content = {"schema": "koopbench.results/2", "task": task, "baselines": [], "runs": []} | fields
    (path / "results.json").write_text(json.dumps(content))
    return path


def test_frames(tmp_path: Path) -> None:
    errors = [
        {"protocol": p, "status": "ok", "score": [0.5, 1.5], "scores": [[0.5, 0.5], [1, 2]]} for p in ("reencode", "powers")
    ]
    lost = run("lost", 1, [], status="failed", trained=False)
    made = run("ridge", 0, errors, rank=3, eigenvalues=[[0.9, 0.1]], history=[{"epoch": 1, "train": 2.5, "validation": None}])
    baselines = [{"name": "mean", "score": [1, 1], "scores": [[1, 1], [1, 1]]}]
    r = koopbench.load(folder(tmp_path, runs=[made, lost], baselines=baselines))
    assert r.task["name"] == "waves"
    assert list(r.runs["method"]) == ["ridge", "lost"]
    assert list(r.runs["status"]) == ["ok", "failed"]
    assert r.runs["rank"][0] == 3
    assert list(r.scores.itertuples(index=False, name=None)) == [
        ("ridge", 0, p, step, score) for p in ("reencode", "powers") for step, score in ((1, 0.5), (2, 1.5))
    ]
    powers = r.starts[r.starts["protocol"] == "powers"]
    assert list(zip(powers["step"], powers["start"], powers["score"])) == [(1, 0, 0.5), (1, 1, 0.5), (2, 0, 1), (2, 1, 2)]
    assert list(r.baselines["name"]) == ["mean", "mean"]
    assert list(r.eigenvalues["eigenvalue"]) == [0.9 + 0.1j, 1, 0.5 + 0.25j]
    assert list(r.eigenvalues["method"]) == ["ridge", "truth", "truth"]
    assert list(r.history["train"]) == [2.5]


def test_parquet(tmp_path: Path) -> None:
    e = {"protocol": "reencode", "status": "ok", "score": [0.5, 0.25], "scores": [[0.5, 0.5], [0, 0.5]]}
    made = run("ridge", 0, [e], options={"alpha": 0.1}, eigenvalues=[[0.9, 0.1]])
    r = koopbench.load(folder(tmp_path, runs=[made, run("lost", 1, [], options={"rank": "all"})]))
    paths = r.to_parquet(tmp_path / "frames")
    assert [p.name for p in paths] == [
        f"{n}.parquet" for n in ("runs", "scores", "starts", "baselines", "eigenvalues", "history")
    ]
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "frames" / "scores.parquet"), r.scores)
    eigenvalues = pandas.read_parquet(tmp_path / "frames" / "eigenvalues.parquet")
    assert list(zip(eigenvalues["real"], eigenvalues["imag"])) == [(0.9, 0.1), (1, 0), (0.5, 0.25)]
    runs = pandas.read_parquet(tmp_path / "frames" / "runs.parquet")
    assert [json.loads(text) for text in runs["options"]] == [{"alpha": 0.1}, {"rank": "all"}]
    with pytest.raises(FileExistsError, match="choose another folder"):
        r.to_parquet(tmp_path / "frames")
    assert r.to_parquet(tmp_path / "frames", overwrite=True) == paths
    with pytest.raises(FileExistsError, match="is a file: name a folder"):
        r.to_parquet(tmp_path / "results.json")


def test_parquet_of_real_results(tmp_path: Path) -> None:
    r = koopbench.load(SCHEMA1)
    r.to_parquet(tmp_path)
    assert len(pandas.read_parquet(tmp_path / "starts.parquet")) == len(r.starts) > 0


def test_parquet_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pip install 'koopbench\[parquet\]'"):
        koopbench.load(folder(tmp_path)).to_parquet(tmp_path / "frames")
    assert not (tmp_path / "frames").exists()


def test_what_an_oracle_saw(tmp_path: Path) -> None:
    e = {"protocol": "reencode", "status": "ok", "score": [0.5], "labels": [[1, 0]]}
    r = koopbench.load(folder(tmp_path, expected=[[0, 0], [1, 1]], runs=[run("ridge", 0, [e])]))
    assert list(zip(r.starts["label"], r.starts["score"])) == [(1, 1), (0, 0)]


def test_no_runs(tmp_path: Path) -> None:
    r = koopbench.load(folder(tmp_path))
    assert r.runs.empty
    assert list(r.scores.columns) == ["method", "seed", "protocol", "step", "score"]


def test_arrays(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    np.savez(tmp_path / "runs" / "ridge-s0.npz", rollout_powers=np.ones((2, 1, 3)))
    np.savez(tmp_path / "runs" / "ridge-s0.powers.predictions.npz", predictions=np.zeros((2, 4, 3)))
    r = koopbench.load(folder(tmp_path))
    assert r.arrays("ridge-s0")["rollout_powers"].shape == (2, 1, 3)
    assert r.predictions("ridge-s0", "powers").shape == (2, 4, 3)
    with pytest.raises(FileNotFoundError):
        r.predictions("ridge-s0")


def test_the_first_schema(tmp_path: Path) -> None:
    if not SCHEMA1.is_dir():
        pytest.skip("the results of the first schema are not beside the package")
    shutil.copytree(SCHEMA1, tmp_path / "old")
    r = koopbench.load(tmp_path / "old")
    assert {"method", "protocol", "score"} <= set(r.scores.columns)
    assert len(r.scores)
    means = r.starts.groupby(["method", "seed", "protocol", "step"])["score"].mean().reset_index()
    merged = means.merge(r.scores, on=["method", "seed", "protocol", "step"])
    assert len(merged) == len(r.scores)
    np.testing.assert_allclose(merged["score_x"], merged["score_y"], atol=1e-12)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"{", "is not JSON, or is half-written"),
        (b"\xff", "is not text"),
        (b"[]", "has the schema None"),
        (
            b'{"schema": "koopbench.results/9"}',
            "has the schema 'koopbench.results/9'; this version reads koopbench.results/1 and",
        ),
        (b'{"schema": "other"}', "has the schema 'other'"),
    ],
)
def test_what_is_no_results(tmp_path: Path, text: bytes, says: str) -> None:
    (tmp_path / "results.json").write_bytes(text)
    with pytest.raises(ValueError, match=says):
        koopbench.load(tmp_path)


def test_fields_that_are_not_there(tmp_path: Path) -> None:
    folder(tmp_path, runs=[{"method": "ridge"}])
    with pytest.raises(ValueError, match=r"results.json is damaged: it lacks fields .* \(KeyError: 'evaluations'\)"):
        koopbench.load(tmp_path)
    damages: list[dict[str, Any]] = [
        {"task": 3},
        {"runs": [7]},
        {"baselines": None},
        {"expected": 1, "runs": [run("a", 0, [{}])]},
    ]
    for damaged in damages:
        with pytest.raises(ValueError, match="is damaged"):
            koopbench.load(folder(tmp_path, **damaged))


def test_no_folder_of_results(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing does not exist: name a folder of results$"):
        koopbench.load(tmp_path / "missing")
    with pytest.raises(FileNotFoundError, match=r"it has no results.json$"):
        koopbench.load(str(tmp_path))
    (tmp_path / "plan-1-of-2.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match=r"has no results.json yet: its command is running, or was stopped"):
        koopbench.load(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"is a file: name a folder of results$"):
        koopbench.load(tmp_path / "plan-1-of-2.json")


def test_damaged_arrays(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    r = koopbench.load(folder(tmp_path))
    with pytest.raises(FileNotFoundError, match="--save-predictions stores"):
        r.predictions("ridge-s0")
    np.savez(tmp_path / "runs" / "ridge-s0.npz", rollout_powers=np.ones((2, 1, 3)))
    whole = (tmp_path / "runs" / "ridge-s0.npz").read_bytes()
    for kept in (0, 3, 50, len(whole) - 1):
        (tmp_path / "runs" / "ridge-s0.npz").write_bytes(whole[:kept])
        with pytest.raises(ValueError, match="is damaged, or half-written"):
            r.arrays("ridge-s0")
    (tmp_path / "runs" / "ridge-s0.reencode.predictions.npz").write_bytes(whole)
    with pytest.raises(ValueError, match="has no predictions in it"):
        r.predictions("ridge-s0")


def test_authors_have_load_too() -> None:
    assert koopbench_plugin.load is koopbench.load
