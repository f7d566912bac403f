"""Sweeps: the structure in a log (dimensions, star, grid), the paper's design, and synthetic logs."""

from __future__ import annotations

from shapeplan.sweeps.dimensions import Dimensions, Tie, find_dimensions
from shapeplan.sweeps.grid import FrontSegment, Start, find_start, pareto_front
from shapeplan.sweeps.paper import paper_architecture, paper_design, rehearsal_law
from shapeplan.sweeps.simulate import simulate
from shapeplan.sweeps.star import StarSweep, doubts, find_star

__all__ = [
    "Dimensions",
    "FrontSegment",
    "StarSweep",
    "Start",
    "Tie",
    "doubts",
    "find_dimensions",
    "find_star",
    "find_start",
    "paper_architecture",
    "paper_design",
    "pareto_front",
    "rehearsal_law",
    "simulate",
]
