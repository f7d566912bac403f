"""The settings that may precede the runs, or stand in a file of their own (``config``)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path

from shapeplan.architectures import Architecture, architecture
from shapeplan.errors import ErrorDetail, InputError
from shapeplan.frozen import frozen
from shapeplan.quantities import Convention
from shapeplan.readers.source import read_text
from shapeplan.readers.tree import LinedMapping, check_tree
from shapeplan.readers.yaml_text import load_yaml, plain


@frozen
class Settings:
    """Settings that were checked.

    Attributes
    ----------
    architecture : Architecture or None
        Family and everything that is not shape.
    flops_convention : {"forward", "training"} or None
        What the compute column counts.
    metric : str or None
        Column of the metric.
    center : mapping of str to float, or None
        Centre of the star.
    notes : tuple of str
        Keys that were ignored.
    columns : mapping of str to str
        Columns by role.
    """

    architecture: Architecture | None = None
    flops_convention: Convention | None = None
    metric: str | None = None
    center: Mapping[str, float] | None = None
    notes: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)

    def over(self, other: Settings) -> Settings:
        """Return these settings, filled in from `other` where they are silent."""
        return replace(
            self,
            architecture=self.architecture or other.architecture,
            flops_convention=self.flops_convention or other.flops_convention,
            metric=self.metric if self.metric is not None else other.metric,
            center=self.center or other.center,
            notes=self.notes + other.notes,
            columns={**other.columns, **self.columns},
        )


def check_settings(raw: Mapping[str, object], lines: Mapping[str, int], name: str) -> Settings:
    """Check a preamble.

    Raises
    ------
    InputError
        If a key is misspelt, or a value cannot be.
    """
    if not raw:
        return Settings()
    # Loaded for settings alone: pydantic takes a tenth of the start-up.
    from shapeplan.readers.settings_model import SettingsModel, validated

    known = list(SettingsModel.model_fields)
    details, ignored = [], []
    for key in raw:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
            if close:
                hint = f"did you mean {close[0]!r}?"
                details.append(ErrorDetail("unknown-setting", "is no setting", hint, name, lines.get(key), key))
            else:
                ignored.append(key)
    if details:
        raise InputError(*details)
    # Only what is known is unfolded: what is ignored may hold anything.
    checked = validated({key: plain(value) for key, value in raw.items() if key in known}, lines, name)
    built = None
    if checked.architecture is not None:
        try:
            built = architecture(checked.architecture)
        except InputError as error:
            line = lines.get("architecture")
            raise InputError(*(replace(found, file=name, line=line) for found in error.details)) from None
    return Settings(
        built,
        checked.flops_convention,
        checked.metric,
        checked.star.center if checked.star else None,
        (f"ignored setting{'s' if len(ignored) > 1 else ''}: {', '.join(ignored)}",) if ignored else (),
        checked.columns or {},
    )


def read_settings(path: str | Path) -> Settings:
    """Read a YAML file of settings; a ``runs`` key in it is an error, as are the mistakes of `check_settings`."""
    text = read_text(path)
    data = load_yaml(text.body, text.name)
    check_tree(data, text.name)
    if not isinstance(data, LinedMapping):
        hint = "write architecture:, flops_convention:, metric: or star:"
        raise InputError(ErrorDetail("wrong-type", "the settings are not a mapping", hint, text.name, 1))
    lines = {key: data.line_of(key) for key in data}
    if "runs" in data:
        hint = "give the file as the log, not as `config`"
        raise InputError(
            ErrorDetail("unknown-setting", "a file of settings has no runs", hint, text.name, lines["runs"])
        )
    return check_settings(data, lines, text.name)
