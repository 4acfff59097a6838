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
    """What :func:`load` returns. A run is named by ``method`` and ``seed``, as in the tables of the benchmark."""

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
            FileNotFoundError: the run has no arrays, for example because it failed.
            ValueError: their file is damaged.
        """
        return _arrays(self.folder / "runs" / f"{key}.npz")

    def predictions(self, key: str, protocol: str = "reencode") -> npt.NDArray[Any]:
        """Returns all that a run predicted, float32 ``(step, start, …)``. ``bench run --save-predictions`` stores it.

        Raises:
            FileNotFoundError: it was not stored.
            ValueError: their file is damaged.
        """
        path = self.folder / "runs" / f"{key}.{protocol}.predictions.npz"
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist: bench run --save-predictions stores predictions")
        arrays = _arrays(path)
        if "predictions" not in arrays:
            raise ValueError(f"{path} has no predictions in it")
        return arrays["predictions"]

    def to_parquet(self, folder: str | Path, *, overwrite: bool = False) -> list[Path]:
        """Writes each frame into a folder as a Parquet file of its name, such as ``scores.parquet``, and returns the paths.

        Parquet has neither complex numbers nor values of any form. So ``eigenvalue`` becomes the columns ``real`` and
        ``imag``, and lists and objects, such as the options of a run, become JSON texts.

        Raises:
            FileExistsError: one of the files is there, and ``overwrite`` is false. Then nothing is written.
            ImportError: pyarrow is not installed.
        """
        try:
            import pyarrow  # noqa: F401
        except ImportError as err:
            raise ImportError("Parquet files need pyarrow: pip install 'koopbench[parquet]'") from err
        folder = Path(folder)
        if folder.exists() and not folder.is_dir():
            raise FileExistsError(f"{folder} is a file: name a folder for the Parquet files")
        names = ("runs", "scores", "starts", "baselines", "eigenvalues", "history")
        paths = [folder / f"{name}.parquet" for name in names]
        for path in paths:
            if path.exists() and not overwrite:
                raise FileExistsError(f"{path} exists: choose another folder, or give overwrite=True")
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in zip(names, paths):
            _flat(getattr(self, name)).to_parquet(path, engine="pyarrow", index=False)
        return paths


def _flat(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Returns the frame with columns of numbers, texts and truth values alone."""
    frame = frame.copy()
    if "eigenvalue" in frame:
        values = frame.pop("eigenvalue").astype(complex)
        frame["real"], frame["imag"] = values.to_numpy().real, values.to_numpy().imag
    for column in frame:
        if any(isinstance(value, (dict, list)) for value in frame[column]):
            frame[column] = [None if value is None else json.dumps(value) for value in frame[column]]
    return frame


def load(folder: str | Path) -> Results:
    """Reads a folder of results into pandas frames. Its files stay as they are.

    Raises:
        FileNotFoundError: the folder has no results.json.
        ImportError: pandas is not installed.
        ValueError: results.json is damaged, has another schema, or does not come from the benchmark.
    """
    try:
        import pandas
    except ImportError as err:
        raise ImportError("load returns pandas frames: pip install 'koopbench[results]'") from err
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
        raise ValueError(f"{folder / NAME} is damaged: it lacks fields of its schema {content['schema']!r} ({what})") from err
    return Results(folder, content, task, *(pandas.DataFrame(found, columns=columns) for columns, found in tables))


def _read(folder: Path) -> dict[str, Any]:
    """Returns the content of results.json, which has a schema that can be read."""
    path = folder / NAME
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} {'is a file' if folder.exists() else 'does not exist'}: name a folder of results")
    if not path.exists():
        if any(folder.glob("plan*.json")):
            raise FileNotFoundError(
                f"{folder} has no {NAME} yet: its command is running, or was stopped; give the same command again to continue. "
                "If its runs are shards, join them with bench merge"
            )
        raise FileNotFoundError(f"{folder} is not a folder of results: it has no {NAME}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as err:
        raise ValueError(f"{path} is not text: {err}") from err
    except json.JSONDecodeError as err:
        raise ValueError(f"{path} is not JSON, or is half-written: {err}") from err
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
