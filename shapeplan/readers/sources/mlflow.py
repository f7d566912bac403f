"""MLflow: stores of files (``mlruns/``) and SQLite (``mlflow.db``), and servers (``mlflow:URI#EXPERIMENT``).

Stores on disk are read as they lie, since MLflow opens only those of its own version; a server needs its library.
Columns are called as `mlflow.search_runs` calls them.
"""

from __future__ import annotations

import hashlib
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.provenance import Source
from shapeplan.readers.source import first_line, library, unreadable
from shapeplan.readers.sources.config import load_mapping
from shapeplan.readers.sources.finding import files_of, matching, start_of
from shapeplan.readers.sources.run_log import RunLog

NAME = "MLflow"
SCHEME = "mlflow:"
_SQLITE = b"SQLite format 3\0"
_STATUS = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
"""How stores of files number what a run came to."""
_Point = tuple[str, float, int, int]
"""A metric's name, its value, its step and when it was logged."""


def finds(files: Sequence[Path]) -> list[Path]:
    """Return the databases and, where there are none, the runs of stores of files."""
    databases = [file for file in matching(files, "*.db", "*.sqlite", "*.sqlite3") if _is_store(file)]
    return databases or [meta for meta in matching(files, "meta.yaml") if (meta.parent / "metrics").is_dir()]


def read(path: Path, root: Path) -> list[RunLog]:
    """Return the runs of a database, or one of a store of files; none where it was deleted.

    Raises
    ------
    InputError
        If a store is broken.
    """
    if path.name != "meta.yaml":
        return _database(path)
    meta, source = load_mapping(path)
    if meta.get("lifecycle_stage", "active") != "active":
        return []
    home = path.parent
    params = {file.name: _text_of(file) for file in files_of(home / "params")}
    tags = {file.name: _text_of(file) for file in files_of(home / "tags")}
    points = [point for file in files_of(home / "metrics") for point in _history(file, home / "metrics")]
    status = meta.get("status")
    told = {"run_id": home.name, "status": _STATUS.get(status, "") if isinstance(status, int) else status}
    return [_run(str(path), told, params, tags, points, source)]


def read_address(address: str) -> list[RunLog]:
    """Return the runs that a tracking server, or whatever else MLflow's library opens, holds.

    Raises
    ------
    InputError
        If the library is missing, or the runs cannot be read.
    """
    uri, _, experiment = address.removeprefix(SCHEME).partition("#")
    tracking = library("mlflow.tracking", address, "export mlflow.search_runs() as CSV")
    try:
        client = tracking.MlflowClient(tracking_uri=uri)
        experiments = [each for each in _pages(client.search_experiments) if experiment in ("", each.name)]
        runs = [
            run
            for each in experiments
            for run in _pages(client.search_runs, experiment_ids=[each.experiment_id], max_results=1000)
        ]
        found = [_served(client, run, address) for run in runs]
    except Exception as error:  # The library raises errors of its own, of requests and of databases.
        message = f"cannot be read: {first_line(error)}"
        hint = "check the address, or export mlflow.search_runs() as CSV"
        raise InputError(ErrorDetail("unreadable", message, hint, address)) from None
    if not found:
        hint = "check the address" + (f" and the experiment {experiment!r}" if experiment else "")
        raise InputError(ErrorDetail("no-rows", "has no runs", hint, address))
    return found


def _served(client: Any, run: Any, address: str) -> RunLog:
    points = [
        (name, float(metric.value), int(metric.step), int(metric.timestamp))
        for name in run.data.metrics
        for metric in client.get_metric_history(run.info.run_id, name)
    ]
    told = {"run_id": run.info.run_id, "status": run.info.status}
    digest = hashlib.sha256(repr((told, sorted(points), sorted(run.data.params.items()))).encode()).hexdigest()
    source = Source(f"{address}/{run.info.run_id}", digest)
    return _run(address, told, run.data.params, run.data.tags, points, source)


def _pages(search: Any, **arguments: Any) -> Iterable[Any]:
    """Yield what a search finds, page by page."""
    token = None
    while True:
        page = search(page_token=token, **arguments)
        yield from page
        token = page.token
        if not token:
            return


def _run(
    file: str,
    told: Mapping[str, object],
    params: Mapping[str, str],
    tags: Mapping[str, str],
    points: Iterable[_Point],
    source: Source,
) -> RunLog:
    entries = [
        {"step": step, f"metrics.{name}": value}
        for name, value, step, _ in sorted(points, key=lambda point: (point[2], point[3]))
    ]
    config = {**told, **{f"params.{key}": value for key, value in params.items()}}
    if "mlflow.runName" in tags:
        config["tags.mlflow.runName"] = tags["mlflow.runName"]
    config |= {f"tags.{key}": value for key, value in tags.items() if not key.startswith("mlflow.")}
    return RunLog("", file, config, entries, sources=[source])


def _history(file: Path, folder: Path) -> Iterable[_Point]:
    """Yield the points of a metric's file: time, value and step on every line."""
    name = file.relative_to(folder).as_posix()
    for number, line in enumerate(_text_of(file).split("\n"), 1):
        words = line.split()
        if not words:
            continue
        try:
            yield name, float(words[1]), int(words[2]) if len(words) > 2 else 0, int(words[0])
        except (ValueError, IndexError):
            hint = "leave the run out, or mend it"
            detail = ErrorDetail("bad-metric", f"{line[:60]!r} is no point of a metric", hint, str(file), number)
            raise InputError(detail) from None


def _text_of(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "backslashreplace").strip()
    except OSError as error:
        raise unreadable(file, error) from None


def _is_store(file: Path) -> bool:
    if start_of(file, len(_SQLITE)) != _SQLITE:
        return False
    try:
        with closing(_opened(file)) as database:
            names = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
    except sqlite3.Error:
        return False
    return {"runs", "metrics", "params", "tags"} <= names


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)


def _database(file: Path) -> list[RunLog]:
    source = Source(str(file), hashlib.sha256(file.read_bytes()).hexdigest())
    try:
        with closing(_opened(file)) as database:
            runs = database.execute(
                "select run_uuid, status from runs where lifecycle_stage = 'active' order by start_time, run_uuid"
            ).fetchall()
            params: dict[str, dict[str, str]] = {run: {} for run, _ in runs}
            tags: dict[str, dict[str, str]] = {run: {} for run, _ in runs}
            points: dict[str, list[_Point]] = {run: [] for run, _ in runs}
            for into, table in ((params, "params"), (tags, "tags")):
                for run, key, value in database.execute(f"select run_uuid, key, value from {table}"):
                    if run in into:
                        into[run][key] = value
            for run, key, value, step, time, is_nan in database.execute(
                "select run_uuid, key, value, step, timestamp, is_nan from metrics"
            ):
                if run in points and isinstance(step, int) and isinstance(time, int):
                    known = not is_nan and isinstance(value, int | float)
                    points[run].append((key, float(value) if known else math.nan, step, time))
    except sqlite3.Error as error:
        message = f"is a store of MLflow that cannot be read: {error}"
        raise InputError(ErrorDetail("unreadable", message, "export mlflow.search_runs() as CSV", str(file))) from None
    return [
        _run(str(file), {"run_id": run, "status": status}, params[run], tags[run], points[run], source)
        for run, status in runs
    ]
