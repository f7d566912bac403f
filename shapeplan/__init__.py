"""shapeplan: sweep logs in, a compute-optimal model shape out.

The names below are loaded when they are first used, so that ``import shapeplan`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
"""As of `typing`, which takes longer to load than all of this: Ctrl-C meets Python until a program is loaded."""

__version__ = "0.1.0"

_HOMES = {
    "Architecture": "shapeplan.architectures",
    "Caution": "shapeplan.errors",
    "Check": "shapeplan.fitting.check",
    "Comparison": "shapeplan.fitting.compare",
    "Decoder": "shapeplan.architectures",
    "Fit": "shapeplan.fitting.result",
    "Law": "shapeplan.laws",
    "MetricsFit": "shapeplan.fitting.metrics",
    "Plan": "shapeplan.planning.plan",
    "Predictions": "shapeplan.fitting.predict",
    "CATALOGUE": "shapeplan.architectures.catalogue",
    "Runs": "shapeplan.runs",
    "ShapeplanError": "shapeplan.errors",
    "Start": "shapeplan.sweeps.grid",
    "ViT": "shapeplan.architectures",
    "architecture": "shapeplan.architectures",
    "campaign": "shapeplan.design.campaign",
    "check": "shapeplan.fitting.check",
    "compare": "shapeplan.fitting.compare",
    "design_grid": "shapeplan.design.grid",
    "design_isoflop": "shapeplan.design.isoflop",
    "design_star": "shapeplan.design.star",
    "star_for_budget": "shapeplan.design.star_budget",
    "comparison_document": "shapeplan.documents.comparison",
    "check_document": "shapeplan.documents.check",
    "figure": "shapeplan.figures.catalogue",
    "figure_document": "shapeplan.documents.figure",
    "fit": "shapeplan.fitting.fit",
    "fit_metrics": "shapeplan.fitting.metrics",
    "flops": "shapeplan.counting.compare",
    "flops_document": "shapeplan.documents.flops",
    "grid_for_budget": "shapeplan.design.grid_budget",
    "find_model": "shapeplan.architectures.catalogue",
    "json_schema": "shapeplan.documents.schema",
    "launch_file": "shapeplan.documents.launch.launch",
    "law_document": "shapeplan.documents.law",
    "save_design": "shapeplan.documents.launch.launch",
    "load": "shapeplan.documents.files",
    "metrics_document": "shapeplan.documents.metrics",
    "named": "shapeplan.architectures.catalogue",
    "outlook": "shapeplan.design.campaign",
    "next_document": "shapeplan.documents.next_run",
    "next_from_pool": "shapeplan.design.pool",
    "next_runs": "shapeplan.design.next_run",
    "paper_design": "shapeplan.design.sovit_protocol",
    "picture": "shapeplan.render.pictures",
    "plan_document": "shapeplan.documents.plan",
    "pool_document": "shapeplan.documents.pool",
    "power": "shapeplan.design.power",
    "power_document": "shapeplan.documents.power",
    "predict": "shapeplan.fitting.predict",
    "predictions_document": "shapeplan.documents.predictions",
    "published_law": "shapeplan.documents.files",
    "read_campaign": "shapeplan.readers.under_way",
    "read_law": "shapeplan.documents.files",
    "read_metrics": "shapeplan.readers.read",
    "read_models": "shapeplan.readers.models",
    "read_profile": "shapeplan.readers.profile",
    "read_runs": "shapeplan.readers.read",
    "recommend": "shapeplan.planning.recommend",
    "Selection": "shapeplan.readers.selection",
    "report_page": "shapeplan.render.report.report",
    "rehearsal_law": "shapeplan.design.sovit_protocol",
    "simulate": "shapeplan.design.simulate",
    "status_document": "shapeplan.documents.status",
}

if TYPE_CHECKING:
    from shapeplan.architectures import Architecture, Decoder, ViT, architecture
    from shapeplan.architectures.catalogue import CATALOGUE, find_model, named
    from shapeplan.counting.compare import flops
    from shapeplan.design.campaign import campaign, outlook
    from shapeplan.design.grid import design_grid
    from shapeplan.design.grid_budget import grid_for_budget
    from shapeplan.design.isoflop import design_isoflop
    from shapeplan.design.next_run import next_runs
    from shapeplan.design.pool import next_from_pool
    from shapeplan.design.power import power
    from shapeplan.design.simulate import simulate
    from shapeplan.design.sovit_protocol import paper_design, rehearsal_law
    from shapeplan.design.star import design_star
    from shapeplan.design.star_budget import star_for_budget
    from shapeplan.documents.check import check_document
    from shapeplan.documents.comparison import comparison_document
    from shapeplan.documents.figure import figure_document
    from shapeplan.documents.files import load, published_law, read_law
    from shapeplan.documents.flops import flops_document
    from shapeplan.documents.launch.launch import launch_file, save_design
    from shapeplan.documents.law import law_document
    from shapeplan.documents.metrics import metrics_document
    from shapeplan.documents.next_run import next_document
    from shapeplan.documents.plan import plan_document
    from shapeplan.documents.pool import pool_document
    from shapeplan.documents.power import power_document
    from shapeplan.documents.predictions import predictions_document
    from shapeplan.documents.schema import json_schema
    from shapeplan.documents.status import status_document
    from shapeplan.errors import Caution, ShapeplanError
    from shapeplan.figures.catalogue import figure
    from shapeplan.fitting.check import Check, check
    from shapeplan.fitting.compare import Comparison, compare
    from shapeplan.fitting.fit import fit
    from shapeplan.fitting.metrics import MetricsFit, fit_metrics
    from shapeplan.fitting.predict import Predictions, predict
    from shapeplan.fitting.result import Fit
    from shapeplan.laws import Law
    from shapeplan.planning.plan import Plan
    from shapeplan.planning.recommend import recommend
    from shapeplan.readers.models import read_models
    from shapeplan.readers.profile import read_profile
    from shapeplan.readers.read import read_metrics, read_runs
    from shapeplan.readers.selection import Selection
    from shapeplan.readers.under_way import read_campaign
    from shapeplan.render.pictures import picture
    from shapeplan.render.report.report import report_page
    from shapeplan.runs import Runs
    from shapeplan.sweeps.grid import Start

__all__ = [
    "CATALOGUE",
    "Architecture",
    "Caution",
    "Check",
    "Comparison",
    "Decoder",
    "Fit",
    "Law",
    "MetricsFit",
    "Plan",
    "Predictions",
    "Runs",
    "Selection",
    "ShapeplanError",
    "Start",
    "ViT",
    "__version__",
    "architecture",
    "campaign",
    "check",
    "check_document",
    "compare",
    "comparison_document",
    "design_grid",
    "design_isoflop",
    "design_star",
    "figure",
    "figure_document",
    "find_model",
    "fit",
    "fit_metrics",
    "flops",
    "flops_document",
    "grid_for_budget",
    "json_schema",
    "launch_file",
    "law_document",
    "load",
    "metrics_document",
    "named",
    "next_document",
    "next_from_pool",
    "next_runs",
    "outlook",
    "paper_design",
    "picture",
    "plan_document",
    "pool_document",
    "power",
    "power_document",
    "predict",
    "predictions_document",
    "published_law",
    "read_campaign",
    "read_law",
    "read_metrics",
    "read_models",
    "read_profile",
    "read_runs",
    "recommend",
    "rehearsal_law",
    "report_page",
    "save_design",
    "simulate",
    "star_for_budget",
    "status_document",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'shapeplan' has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
