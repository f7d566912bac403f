"""What settings may hold, as pydantic checks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shapeplan.errors import ErrorDetail, InputError
from shapeplan.quantities import Convention


class _Star(BaseModel):
    model_config = ConfigDict(extra="forbid")

    center: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(min_length=1)


class SettingsModel(BaseModel):
    """The settings by name."""

    model_config = ConfigDict(extra="ignore")

    architecture: dict[str, Any] | None = None
    flops_convention: Convention | None = None
    metric: str | None = None
    star: _Star | None = None
    columns: dict[str, str] | None = None


def validated(raw: Mapping[str, object], lines: Mapping[str, int], name: str) -> SettingsModel:
    """Return settings that are as they must be; raise `InputError`, with the line of every key, if they are not."""
    try:
        return SettingsModel.model_validate(raw)
    except ValidationError as error:
        raise InputError(
            *(_error_detail(problem, lines, name) for problem in error.errors(include_url=False))
        ) from None


def _error_detail(problem: Any, lines: Mapping[str, int], name: str) -> ErrorDetail:
    key = str(problem["loc"][0])
    hint = {
        "flops_convention": "write forward or training",
        "architecture": "write e.g. architecture: {family: vit, patch: 14, image: 224, heads: 16}",
        "star": "write e.g. star: {center: {width: 1968, depth: 40, mlp_dim: 6144}}",
        "metric": "name one column",
        "columns": "write e.g. columns: {width: model.hidden_dim}",
    }[key]
    message = str(problem["msg"])
    value = str(problem["input"])[:60]
    path = ".".join(str(part) for part in problem["loc"])
    return ErrorDetail("bad-setting", message[:1].lower() + message[1:], hint, name, lines.get(key), path, value)
