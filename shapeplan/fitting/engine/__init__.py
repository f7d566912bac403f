"""The engine: global fits of sums of terms with non-negative coefficients. It knows no scaling laws.

A problem is a set of blocks of rows. In block k the prediction is ``A_k(theta) x_k`` with ``x_k >= 0``, and every
column of A_k is the exponential of a linear function of the exponents theta. Some exponents are shared by the blocks.
``blocks`` holds these records, ``objectives`` what is minimized, ``search`` finds the global optimum, ``refit`` those
of many like problems, ``polish`` descends from many starts at once, and ``boxqp`` solves the quadratic programs.
"""

from shapeplan.fitting.engine.blocks import Block, Solution
from shapeplan.fitting.engine.objectives import LOG_HUBER, OBJECTIVES, RELATIVE, LogHuber, Objective, Relative
from shapeplan.fitting.engine.polish import polish
from shapeplan.fitting.engine.refit import refit
from shapeplan.fitting.engine.search import Found, search

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
    "polish",
    "refit",
    "search",
]
