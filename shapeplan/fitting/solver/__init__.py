"""The solver: global fits of sums of terms with non-negative coefficients. It is independent of scaling laws.

A problem is a set of blocks of rows. In block k the prediction is ``A_k(theta) x_k`` with ``x_k >= 0``, and every
column of A_k is the exponential of a linear function of the exponents theta. Some exponents are shared by the blocks.
`model` holds these records, `losses` what is minimized; `levenberg_marquardt` descends from many starts at once,
`global_search` finds the global optimum, and `refit` those of many like problems.
"""

from shapeplan.fitting.solver.global_search import Found, search
from shapeplan.fitting.solver.levenberg_marquardt import descend
from shapeplan.fitting.solver.losses import LOG_HUBER, OBJECTIVES, RELATIVE, LogHuber, Objective, Relative
from shapeplan.fitting.solver.model import Block, Solution
from shapeplan.fitting.solver.refit import refit

__all__ = [
    "LOG_HUBER",
    "OBJECTIVES",
    "RELATIVE",
    "Block",
    "Found",
    "LogHuber",
    "Objective",
    "Relative",
    "Solution",
    "descend",
    "refit",
    "search",
]
