"""The registry of warning codes: every code that a `Caution` may have, what it means and what to do.

A warning is added here first; `shapeplan explain CODE` shows its page, ``explain/pages/CODE.md``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WarningCode:
    """A registered code.

    Attributes
    ----------
    name : str
        Kebab-case, stable across versions.
    meaning, remedy : str
        What it says about a result, and what to do about it, in a few words.
    """

    name: str
    meaning: str
    remedy: str


WARNINGS: dict[str, WarningCode] = {}
"""Every warning code by its name."""


def _register(name: str, meaning: str, remedy: str) -> str:
    WARNINGS[name] = WarningCode(name, meaning, remedy)
    return name


ARCHITECTURE_MISMATCH = _register(
    "architecture-mismatch",
    "logged shapes or parameters do not belong to the architecture of the log",
    "correct the architecture, or remove it",
)
AT_BOUND = _register(
    "at-bound",
    "an exponent, or an end of its interval, is at a bound of the search",
    "add rows that determine the term, or fit a simpler law",
)
BEATEN_BY_LOG = _register(
    "beaten-by-log", "a run of the log reaches a lower loss with the compute of the plan", "start from that run's shape"
)
BROKEN_ARITHMETIC = _register(
    "broken-arithmetic",
    "compute, examples, parameters and shape of rows do not belong together, by a factor of two or more",
    "correct the cells, or remove the rows; plans need `force`",
)
BUDGET_LEFT_OVER = _register(
    "budget-left-over", "a limit binds before the compute is spent", "raise the limit, or spend less"
)
BUYS_NOTHING = _register("buys-nothing", "the budget is less than one training example costs", "give a larger budget")
CALIBRATED_START = _register(
    "calibrated-start", "t0 of the published law is calibrated, not published", "give a start of your own with `start`"
)
CENTER_BOTTLENECK = _register(
    "center-bottleneck", "the centre of the star is not above its arms in every dimension", "use a larger centre"
)
CENTER_MISSED = _register(
    "center-missed",
    "Eq. 2 misses the held-out centre by more than its residuals explain",
    "do not rely on the loss at large shapes",
)
CLOSE_TO_CENTER = _register(
    "close-to-center", "values of an arm are close to the centre's", "use values of 50% to 84% of the centre"
)
COARSE_ROUNDING = _register(
    "coarse-rounding",
    "sizes that can be built lose more than the tolerance",
    "ask for smaller multiples or fewer devices",
)
COLUMN_EXPLAINS = _register(
    "column-explains",
    "a column without a role explains the residuals of the fit",
    "fit the rows of one value with `where`, or name it with `dims` if it is a size",
)
CUT_LINE = _register(
    "cut-line", "the file ends inside its last line, and the last cell may be cut", "copy the file again"
)
COPIED_ROWS = _register("copied-rows", "rows are copies of others under another run's name", "remove the copies")
COST_APPROXIMATE = _register(
    "cost-approximate", "FLOPs per example are fitted to the log, not counted", "name the architecture"
)
C_DIFFERS = _register("c-differs", "the arms of the star have different compute exponents c", "see the c of every arm")
DIFFERENT_LENGTHS = _register(
    "different-lengths", "models are counted at different sequence lengths", "give one length with `seq`"
)
DOES_NOT_FIT = _register(
    "does-not-fit", "training does not fit into the memory of the accelerators", "use more devices, or another recipe"
)
EXPORT_DEFAULTS = _register(
    "export-defaults", "a configuration holds settings that the law does not determine", "check them before training"
)
EXPORT_DIFFERS = _register(
    "export-differs", "a library cannot build exactly this shape", "change the library's model, or tie the dimension"
)
EXTRAPOLATION = _register(
    "extrapolation",
    "a budget, a size or a row is beyond what the log covers",
    "add rows nearer to the target, or spend less",
)
FEW_REPLICATES = _register(
    "few-replicates",
    "there are too few bootstrap replicates for the level of the intervals",
    "ask for more with `replicates`",
)
FEW_RUNS = _register("few-runs", "there are few independent runs behind many rows", "train more runs")
FITTED_COST = _register(
    "fitted-cost", "costs of candidates are fitted to the log, not counted", "name the architecture"
)
FLOPS_MISMATCH = _register(
    "flops-mismatch",
    "logged FLOPs differ from those of the architecture by more than 10%",
    "check the column, its unit and its convention",
)
GRID_BOUNDARY = _register("grid-boundary", "the best point of the grid is at its edge", "extend the grid there")
GRID_ONE_DURATION = _register(
    "grid-one-duration",
    "every shape of the grid is logged at one duration",
    "log points of training along the grid's runs",
)
IMPLAUSIBLE_MAGNITUDE = _register(
    "implausible-magnitude", "values are of an implausible magnitude for their column", "check the unit"
)
IMPLAUSIBLE_SHAPE = _register(
    "implausible-shape",
    "sizes are those of no transformer: width and depth look swapped, or the MLP dim like a multiple of the width",
    "name the columns with `columns`; plans need `force`",
)
INFLUENTIAL = _register(
    "influential", "the fit moves much when one run is left out", "check that run, or train it again"
)
KEPT_PROPORTIONS = _register(
    "kept-proportions",
    "the log does not tell the best size of a dimension: plans keep it in the proportions of the log",
    "add shapes that differ in that dimension alone, smaller and larger",
)
LACK_OF_FIT = _register(
    "lack-of-fit",
    "residuals are larger than noise, or have a trend",
    "check the log for mixed recipes, or fit another law",
)
LAWS_DISAGREE = _register(
    "laws-disagree", "laws that extrapolate about as well plan other shapes", "train both shapes at a smaller budget"
)
LITTLE_TO_GAIN = _register(
    "little-to-gain", "no further run would reduce the expected regret much", "train the plan, or check the law itself"
)
METRIC_DIFFERS = _register(
    "metric-differs", "the metric of the rows is not the law's", "compare rows of the same metric"
)
METRIC_RISES = _register("metric-rises", "the metric grows with compute", "say `higher_is_better`, or check the column")
MID_RUN_ROWS = _register(
    "mid-run-rows",
    "rows before the end of their runs lie above those at the end: of warm-up, or before the learning rate decays",
    "fit the ends of the runs alone, with `last_point`",
)
NOT_CONVERGED = _register(
    "not-converged", "a search or refits ended before an optimum was reached", "fit a simpler law, or add rows"
)
NOT_CUMULATIVE = _register(
    "not-cumulative",
    "compute or data do not count up along a run",
    "log what was spent since the start of the run, or say the planned total and fit the last rows",
)
NOT_VARIED = _register(
    "not-varied", "a dimension is the same in every row", "vary it, or accept that the law does not cover it"
)
FASTER_SHAPE = _register(
    "faster-shape",
    "a measured shape that is trained faster reaches a lower loss in the same days",
    "fix its sizes, and measure shapes around it",
)
MFU_NOT_MEASURED = _register(
    "mfu-not-measured",
    "the shape is beyond those whose utilization was measured",
    "measure a shape of that size, or give one share as `mfu`",
)
NO_BACKTEST = _register(
    "no-backtest",
    "the log is too short to test the law on its own rows above those fitted",
    "log a wider range of compute",
)
NO_CENTER = _register("no-center", "the log has no row of the star's centre", "train the centre")
NO_INTERIOR_OPTIMUM = _register(
    "no-interior-optimum",
    "the best size of a dimension is at a bound of the search",
    "add shapes beyond the present range",
)
NO_LOSS = _register("no-loss", "the law gives no loss there", "stay where the law holds, or fit a joint law")
NO_SHAPE_LAW = _register("no-shape-law", "the law is of parameters only, not of shape", "fit a law of shape")
NO_STAR = _register("no-star", "the log has no star, so Eq. 2 is not fitted", "see check for what a star needs")
NO_START = _register("no-start", "no starting point x0 and t0 was found", "give `start`, or log a grid")
OFF_STAR_MISFIT = _register("off-star-misfit", "the law misses rows beside the star", "use a joint law")
ONE_LAW = _register(
    "one-law",
    "one law alone ranks the next runs, although others extrapolate as well",
    "rank by another law too, with `law`",
)
OPEN_VALLEY = _register(
    "open-valley",
    "a budget of an isoFLOP sweep has no minimum among its sizes",
    "add smaller or larger sizes at that budget",
)
OUTLIER = _register("outlier", "a run is far from the law", "check the run")
PARAMS_MISMATCH = _register(
    "params-mismatch",
    "logged parameters differ from those of the architecture by more than 10%",
    "check the column and the architecture",
)
RATIO_EXTRAPOLATION = _register(
    "ratio-extrapolation",
    "a plan has fewer or more examples per parameter than any row of the log",
    "train a run at about that ratio",
)
RECIPE_VARIES = _register(
    "recipe-varies",
    "runs of one shape and compute differ in learning rate, batch or the like",
    "keep the best of them with `best_of`",
)
STALE_METRIC = _register(
    "stale-metric", "rows repeat the metric of the row before in their run", "remove rows that were not measured"
)
STARTS_AT_CHANCE = _register(
    "starts-at-chance",
    "the metric of the rows of least compute does not move yet",
    "leave them out with `where`, as the message says",
)
TIED = _register("tied", "dimensions move together in every row", "vary one alone, if their trade-off matters")
TOKENS_DERIVED = _register(
    "tokens-derived", "tokens are not logged: taken as training FLOPs / (6 params)", "log the tokens"
)
TOKENS_MISMATCH = _register(
    "tokens-mismatch", "logged tokens differ from examples times sequence length by more than 10%", "check the columns"
)
TOO_FEW_RUNS = _register(
    "too-few-runs", "there are few shapes, or few values on an arm, for the constants", "train more shapes"
)
TWO_VALUES = _register(
    "two-values",
    "a dimension has two values, of which the rows at one are fitted",
    "train a third value, or name the other one with `where`",
)
UNEVEN_SPACING = _register("uneven-spacing", "values are unevenly spaced in logarithms", "space values evenly in ratio")
UNIDENTIFIED = _register(
    "unidentified",
    "an exponent is not identified: its interval is very wide, or two variables are collinear",
    "add shapes that differ in that dimension alone",
)
UNREAD_COLUMN = _register(
    "unread-column", "a column that looks like a size of the model has no role", "name it with `columns` or `dims`"
)
UNREAD_UNIT = _register(
    "unread-unit", "a header has a unit that is not understood", "write a number, or K, M, B, T, in brackets"
)
UNTRUSTED_FIT = _register(
    "untrusted-fit", "the fit fails a check that plans depend on", "see its other warnings; plans need `force`"
)
VALLEYS_DISAGREE = _register(
    "valleys-disagree",
    "the best size grows otherwise under the law than by parabolas through the budgets",
    "plan within the budgets, or add sizes near the minima",
)
VERY_LONG = _register("very-long", "training would take more than a century", "use more accelerators")
