"""Results of the benchmark as pandas frames."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the program starts without them
    import numpy.typing as npt
    import pandas

SCHEMA = "koopbench.results/"
READ = ("1", "2")
NAME = "results.json"


@dataclass(frozen=True)
class Results:
    """What :func:`load` gives. A run is named by ``method`` and ``seed``, as in the tables of the benchmark."""

    folder: Path
    json: dict[str, Any]
    """All of results.json."""
    task: dict[str, Any]
    """What was evaluated: its name, options, sizes, and the ``measure`` of scores."""
    runs: pandas.DataFrame
    """A row for each run: key, status, reason, trained, options, what it cost, and what is known of its operator."""
    scores: pandas.DataFrame
    """A row for each run, protocol and step: ``score`` over all starts."""
    starts: pandas.DataFrame
    """A row for each run, protocol, step and start: ``score``, and ``label`` if an oracle judges."""
    baselines: pandas.DataFrame
    """A row for each model that learns nothing, and step: ``score``."""
    eigenvalues: pandas.DataFrame
    """A row for each run and eigenvalue, the largest first; the true ones have the method "truth" and no seed."""
    history: pandas.DataFrame
    """A row for each run and epoch: the losses ``train`` and ``validation``."""

    def arrays(self, key: str) -> dict[str, npt.NDArray[Any]]:
        """Returns what figures need of a run: roll-outs of the first starts, and eigenfunctions at the test snapshots.

        Raises:
            FileNotFoundError: the run has no arrays, as one that failed.
            ValueError: their file is damaged.
        """
        return _arrays(self.folder / "runs" / f"{key}.npz")

    def predictions(self, key: str, protocol: str = "reencode") -> npt.NDArray[Any]:
        """Returns all that a run predicted, float32 ``(step, start, …)``, which ``bench run --save-predictions`` keeps.

        Raises:
            FileNotFoundError: they were not kept.
            ValueError: their file is damaged.
        """
        path = self.folder / "runs" / f"{key}.{protocol}.predictions.npz"
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist: bench run --save-predictions keeps predictions")
        arrays = _arrays(path)
        if "predictions" not in arrays:
            raise ValueError(f"{path} has no predictions in it")
        return arrays["predictions"]


def load(folder: str | Path) -> Results:
    """Reads a folder of results into pandas frames, which must be installed. Its files stay as they are.

    Raises:
        FileNotFoundError: the folder has no results.json.
        ImportError: pandas is not installed.
        ValueError: results.json is not of the benchmark, of another version of it, or damaged.
    """
    try:
        import pandas
    except ImportError as err:
        raise ImportError("load gives pandas frames: pip install pandas") from err
    folder = Path(folder)
    content = _read(folder)
    try:
        if content["schema"] == SCHEMA + "1":
            _renamed(content)
        rows = _Rows(content)
        tables = (rows.runs(), rows.scores(), rows.starts(), rows.baselines(), rows.eigenvalues(), rows.history())
        task = dict(content["task"])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as err:
        what = f"{type(err).__name__}: {err}"
        raise ValueError(
            f"{folder / NAME} is damaged: it has not the fields of its schema {content['schema']!r} ({what})"
        ) from err
    return Results(folder, content, task, *(pandas.DataFrame(found, columns=columns) for columns, found in tables))


def _read(folder: Path) -> dict[str, Any]:
    """Returns the content of results.json, which has a schema that can be read."""
    path = folder / NAME
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder of results: {'it is a file' if folder.exists() else 'it does not exist'}")
    if not path.exists():
        if any(folder.glob("plan*.json")):
            raise FileNotFoundError(
                f"{folder} has no {NAME} yet: its command is at work or was stopped, and goes on if it is given again; "
                "bench merge joins shards"
            )
        raise FileNotFoundError(f"{folder} is no folder of results: it has no {NAME}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as err:
        raise ValueError(f"{path} is no text: {err}") from err
    except json.JSONDecodeError as err:
        raise ValueError(f"{path} is no JSON, or half of it: {err}") from err
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema not in [SCHEMA + version for version in READ]:
        raise ValueError(f"{path} has the schema {schema!r}; this version reads {' and '.join(SCHEMA + v for v in READ)}")
    found: dict[str, Any] = content
    return found


def _renamed(content: dict[str, Any]) -> None:
    """Makes results of the first schema read like those of the second.

    It knew one protocol, and one task, whose states follow one another in a cycle.
    """
    task = content["task"]
    task["measure"] = {"name": "accuracy"}
    first = task["train"] + task["validation"]
    content["expected"] = [
        [(first + i + step * task["lag"]) % task["states"] for i in range(task["test"])] for step in range(task["steps"] + 1)
    ]
    for run in content["runs"]:
        run["evaluations"] = []
        if run.get("accuracy"):
            run["evaluations"] = [
                {
                    "protocol": task["protocol"],
                    "status": run["status"],
                    "score": run["accuracy"],
                    "labels": run.get("labels") or [],
                }
            ]
    content["baselines"] = []


Table = tuple[list[str], list[tuple[Any, ...]]]


class _Rows:
    """The rows of the frames."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    def runs(self) -> Table:
        lists = ("evaluations", "history", "eigenvalues", "prediction_sha256", "environment", "accuracy", "labels")
        columns = ["key", "method", "name", "seed", "status", "reason", "trained"]
        for run in self.content["runs"]:
            columns += [name for name in run if name not in columns and name not in lists]
        return columns, [tuple(run.get(name) for name in columns) for run in self.content["runs"]]

    def scores(self) -> Table:
        columns = ["method", "seed", "protocol", "step", "score"]
        return columns, [
            (run["method"], run["seed"], e["protocol"], step, score)
            for run in self.content["runs"]
            for e in run["evaluations"]
            for step, score in enumerate(e["score"], 1)
        ]

    def starts(self) -> Table:
        columns = ["method", "seed", "protocol", "step", "start", "score", "label"]
        rows: list[tuple[Any, ...]] = []
        expected = self.content.get("expected") or []
        for run in self.content["runs"]:
            for e in run["evaluations"]:
                who = (run["method"], run["seed"], e["protocol"])
                for step, labels in enumerate(e.get("labels") or [], 1):
                    right = expected[step] if step < len(expected) else [None] * len(labels)
                    rows += [
                        (*who, step, i, None if truth is None else float(label == truth), label)
                        for i, (label, truth) in enumerate(zip(labels, right))
                    ]
                for step, scores in enumerate(e.get("scores") or [], 1):
                    rows += [(*who, step, i, score, None) for i, score in enumerate(scores)]
        return columns, rows

    def baselines(self) -> Table:
        return ["name", "step", "score"], [
            (b["name"], step, score) for b in self.content["baselines"] for step, score in enumerate(b["score"], 1)
        ]

    def eigenvalues(self) -> Table:
        groups = [(run["method"], run["seed"], run.get("eigenvalues") or []) for run in self.content["runs"]]
        groups.append(("truth", None, self.content["task"].get("eigenvalues") or []))
        return ["method", "seed", "number", "eigenvalue"], [
            (method, seed, i, complex(*value)) for method, seed, values in groups for i, value in enumerate(values)
        ]

    def history(self) -> Table:
        return ["method", "seed", "epoch", "train", "validation"], [
            (run["method"], run["seed"], e["epoch"], e["train"], e["validation"])
            for run in self.content["runs"]
            for e in run.get("history") or []
        ]


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    import numpy as np

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (AttributeError, EOFError, ValueError, zipfile.BadZipFile) as err:
        raise ValueError(f"{path} is damaged, or half-written: {err}") from err
