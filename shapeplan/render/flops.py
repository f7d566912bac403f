"""Counts of models as tables: every number of FLOPs names its convention."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.console import RenderableType

from shapeplan.architectures import CONVENTIONS, Part, Transformer
from shapeplan.architectures.catalogue import NamedModel
from shapeplan.architectures.conventions import SYMBOLS
from shapeplan.counting.compare import Costs, ModelCost, some_names
from shapeplan.quantities import format_bytes, format_count, format_days, format_flops
from shapeplan.render.parts import table, title
from shapeplan.wording import compact, percent

_MOST_SIDE_BY_SIDE = 4
_GAP = 2

Rows = list[list[str]]
Cells = list[tuple[str, Callable[[ModelCost], str]]]


def render_flops(costs: Costs, width: int, *, parts: bool) -> list[RenderableType]:
    """Return the tables: a few models side by side, many in a row each; then parts, assumptions, sources."""
    rows = costs.models
    tables = _side_by_side(costs, width) if len(rows) <= _MOST_SIDE_BY_SIDE else _a_row_each(costs, width)
    if parts:
        for row in rows:
            tables += [title(f"Parts of {row.name}"), _parts(row, width)]
    lines = [*costs.assumptions, SYMBOLS]
    return [_whose(rows), "", *tables, title("Assumes"), *(f"- {line}" for line in lines), "", *_sources(rows)]


def render_catalogue(records: Iterable[NamedModel]) -> list[RenderableType]:
    """Return the table of named models."""
    header = ["name", "width x depth x MLP", "heads", "input", "params", "source"]
    body = []
    for record in records:
        model = record.model()
        size = format_count(model.params)
        body.append([record.name, _shape(model), f"{model.head_count}", model.input_words, size, record.source])
    return [table(header, body, left=6)]


def _whose(rows: Sequence[ModelCost]) -> str:
    """Return whose models were counted: the same name may be another model in another library."""
    by_owner: dict[str, list[str]] = {}
    for row in rows:
        counted = row.counted
        given = f"a shape of the family {counted.family}" if counted.source == "given" else counted.source
        by_owner.setdefault(counted.whose or given, []).append(row.name)
    return "Counted: " + "; ".join(f"{some_names(names)} ({owner})" for owner, names in by_owner.items())


def _side_by_side(costs: Costs, width: int) -> list[RenderableType]:
    """Return a column a model, as many beside each other as fit, with formulas where these fit too."""
    rows = costs.models
    for together in range(len(rows), 0, -1):
        groups = [rows[i : i + together] for i in range(0, len(rows), together)]
        for formulas in (True, False):
            bodies = [_counts(costs, group, formulas=formulas) for group in groups]
            if all(_fits(body, width) for body in bodies) or (together == 1 and not formulas):
                tables: list[RenderableType] = []
                for group, body in zip(groups, bodies, strict=True):
                    tables += [table(body[0], body[1:])]
                    if group[0].training or group[0].memory:
                        lines = [[name, *(cell(row) for row in group)] for name, cell in _training_cells(costs)]
                        names = [row.name for row in group]
                        tables += [title(_training_title(costs)), table(["", *names], lines)]
                return tables
    return []


def _counts(costs: Costs, group: Sequence[ModelCost], *, formulas: bool) -> Rows:
    """Return the lines of a table of models side by side, the first being its header."""
    first, alone = costs.models[0], len(costs.models) == 1

    def line(name: str, value: Callable[[ModelCost], float], text: Callable[[float], str]) -> list[str]:
        return [name, *(text(value(row)) + _ratio(row, first, value) for row in group)]

    exact = _exactly if alone else format_count
    mixed = any(row.active_params != row.params for row in group)
    active = [line("  active", lambda row: row.active_params, exact)] if mixed else []
    body = [
        ["", *(row.name for row in group)],
        ["family", *(row.counted.family for row in group)],
        ["width x depth x MLP", *(_shape(row.counted.model) for row in group)],
        ["heads", *(f"{row.counted.model.head_count}" for row in group)],
        ["input", *(row.counted.model.input_words for row in group)],
        ["head", *(row.counted.model.head_words for row in group)],
        line("parameters", lambda row: row.params, exact),
        *active,
        line("  without embeddings", lambda row: row.non_embedding_params, exact),
        _macs(group, first, exact if alone else _flops),
    ]
    if any(hasattr(row.counted.model, "vocab") for row in group):
        body.insert(5, ["vocabulary", *(str(getattr(row.counted.model, "vocab", "-")) for row in group)])
    if mixed:
        body.insert(3, ["experts", *(_experts(row.counted.model) for row in group)])
    for counted in ("forward", "training"):
        body.append([f"{counted} FLOPs, a{_n(_unit(group))}:", *("" for _ in group)])
        for name, convention in CONVENTIONS.items():
            if convention.counts == counted and any(row.flops[name] is not None for row in group):
                formula = f" ({convention.formula})" if formulas else ""
                body.append([f"  {name}{formula}", *(_or_dash(row, first, name) for row in group)])
    return body


def _macs(group: Sequence[ModelCost], first: ModelCost, text: Callable[[float], str]) -> list[str]:
    cells = []
    for row in group:
        ratio = None if row is first else row.flops_ratio(first)
        cells.append(text(row.macs_per_example) + ("" if ratio is None else f"  {ratio:.3f}x"))
    return [f"MACs, a{_n(_unit(group))}", *cells]


def _a_row_each(costs: Costs, width: int) -> list[RenderableType]:
    """Return a row a model, with as many columns as fit; all of them stand in the JSON."""
    first = costs.models[0]
    known = [name for name in CONVENTIONS if any(row.flops[name] is not None for row in costs.models)]
    shape: tuple[str, Callable[[ModelCost], str]] = ("width x depth x MLP", lambda row: _shape(row.counted.model))
    counts: list[tuple[str, Callable[[ModelCost], str]]] = [
        ("params", lambda row: format_count(row.params)),
        ("MACs", lambda row: _flops(row.macs_per_example)),
    ]
    ratios: list[tuple[str, Callable[[ModelCost], str]]] = [
        ("params ratio", lambda row: compact(row.params / first.params)),
        ("FLOPs ratio", lambda row: _number(row.flops_ratio(first))),
    ]
    conventions = {name: (name, lambda row, name=name: _each(row, name)) for name in known}
    if any(row.active_params != row.params for row in costs.models):
        counts.insert(1, ("active", lambda row: format_count(row.active_params)))
    usual = [conventions["forward"], conventions["training"]]
    choices = [
        [shape, *counts, *conventions.values(), *ratios],
        [shape, *counts, *usual, *ratios],
        [*counts, *usual, *ratios],
        [*counts, *usual],
    ]
    made, complete = _columns(costs, choices, width)
    tables: list[RenderableType] = [title(f"Models (MACs and FLOPs are those of a{_n(_unit(costs.models))})"), made]
    if not complete:
        tables += ["A wider terminal shows more conventions; `json` has all.", ""]
    cells = _training_cells(costs)
    if cells:
        rows = ([row.name, *(cell(row) for _, cell in cells)] for row in costs.models)
        tables += [title(_training_title(costs)), table(["model", *(name for name, _ in cells)], rows)]
    return tables


def _columns(costs: Costs, choices: Sequence[Cells], width: int) -> tuple[RenderableType, bool]:
    """Return the first table that fits, or the last; and whether it is the fullest."""
    for cells in choices:
        header = ["model", *(name for name, _ in cells)]
        body = [[row.name, *(cell(row) for _, cell in cells)] for row in costs.models]
        if _fits([header, *body], width):
            break
    return table(header, body), cells is choices[0]


def _fits(body: Rows, width: int) -> bool:
    return sum(max(len(line[i]) for line in body) + _GAP for i in range(len(body[0]))) - _GAP <= width


def _training_cells(costs: Costs) -> Cells:
    """Return what is said of a training, as names and cells."""
    cells: Cells = []
    if costs.models[0].training:
        cells += [
            (_plural(costs.models), lambda row: format_count(row.training.examples) if row.training else "-"),
            ("forward FLOPs", lambda row: _flops(row.training.flops_forward) if row.training else "-"),
            ("training FLOPs", lambda row: _flops(row.training.flops_training) if row.training else "-"),
        ]
    if costs.fleet:
        cells.append((f"time on {costs.fleet}", _time))
    if costs.recipe:
        cells += [
            ("weights", lambda row: format_bytes(row.memory.weights) if row.memory else "-"),
            ("gradients", lambda row: format_bytes(row.memory.gradients) if row.memory else "-"),
            ("optimizer state", lambda row: format_bytes(row.memory.optimizer) if row.memory else "-"),
            ("state in all", lambda row: format_bytes(row.memory.total) if row.memory else "-"),
        ]
    return cells


def _training_title(costs: Costs) -> str:
    if costs.budget is not None:
        return f"What {format_flops(costs.budget)} {costs.flops_convention} FLOPs buy"
    return "Training" if costs.models[0].training else "Memory"


def _parts(row: ModelCost, width: int) -> RenderableType:
    each = row.counted.model.examples_per_input
    header = ["part", "params", "", f"MACs, a{_n(_unit([row]))}", ""]
    parts = {**row.parts, "all": Part(row.params, row.macs)}
    body: Rows = []
    for text in (_exactly, _flops):
        body = [
            [
                name,
                text(part.params),
                percent(part.params / row.params),
                text(part.macs // each),
                percent(part.macs / row.macs),
            ]
            for name, part in parts.items()
        ]
        if _fits([header, *body], width):
            break
    return table(header, body)


def _sources(rows: Iterable[ModelCost]) -> list[RenderableType]:
    """Return where the shapes are from, a line a source."""
    by_source: dict[str, list[str]] = {}
    for row in rows:
        if row.counted.source != "given":
            same = row.counted.record in ("", row.name)
            shown = row.name if same else f"{row.name} (= {row.counted.record})"
            by_source.setdefault(row.counted.source, []).append(shown)
    lines = [f"- {some_names(names)}: {source}" for source, names in by_source.items()]
    return [title("Sources of shapes"), *lines] if lines else []


def _each(row: ModelCost, convention: str) -> str:
    value = row.flops_per_example(convention)
    return "-" if value is None else _flops(value)


def _or_dash(row: ModelCost, first: ModelCost, convention: str) -> str:
    value, base = row.flops_per_example(convention), first.flops_per_example(convention)
    if value is None:
        return "-"
    comparable = row is not first and base is not None and row.flops_ratio(first) is not None
    return _flops(value) + (f"  {value / base:.3f}x" if comparable and base else "")


def _ratio(row: ModelCost, first: ModelCost, value: Callable[[ModelCost], float]) -> str:
    return "" if row is first else f"  {value(row) / value(first):.3f}x"


def _number(value: float | None) -> str:
    return "-" if value is None else compact(value)


def _shape(model: Transformer) -> str:
    return f"{model.width} x {model.depth} x {model.mlp_dim}"


def _experts(model: Transformer) -> str:
    """Return routed experts, those that a token visits, the size of one, and those that all tokens visit."""
    mixture = getattr(model, "mixture", None)
    if mixture is None:
        return "-"
    shared = f", {mixture.shared} shared" if mixture.shared else ""
    return f"{mixture.per_token} of {mixture.experts}, {mixture.expert_dim} wide{shared}"


def _unit(rows: Iterable[ModelCost]) -> str:
    return " or ".join(dict.fromkeys(row.counted.model.example for row in rows))


def _plural(rows: Iterable[ModelCost]) -> str:
    return " or ".join(f"{unit}s" for unit in _unit(rows).split(" or "))


def _exactly(value: float) -> str:
    return f"{value:,}"


def _flops(value: float) -> str:
    """Return four digits, always: columns of numbers are compared."""
    mantissa, _, exponent = f"{value:.3e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def _n(noun: str) -> str:
    return f"n {noun}" if noun.startswith("image") else f" {noun}"


def _time(row: ModelCost) -> str:
    days = row.training.days if row.training else None
    return "-" if days is None else format_days(days)
