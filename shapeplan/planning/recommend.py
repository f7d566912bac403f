"""Plans for budgets, from a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shapeplan.arguments import number, number_or_none, numbers_by_name, whole, whole_or_none
from shapeplan.counting.price import Price
from shapeplan.errors import ArgumentError, ErrorDetail, check_choice
from shapeplan.fitting.evidence import INTERVALS
from shapeplan.fitting.result import Fit, check_is_fit
from shapeplan.optimum.cost_model import TRUST
from shapeplan.planning.budgets import Amounts, read_budgets
from shapeplan.planning.building import Parallelism, builder
from shapeplan.planning.comparison import read_versus
from shapeplan.planning.constraints import constraints
from shapeplan.planning.evaluate import evaluate
from shapeplan.planning.hardware import read_hardware
from shapeplan.planning.method import check_trust, choose_method, method_beside
from shapeplan.planning.optimum import Optimum
from shapeplan.planning.plan import Plan
from shapeplan.planning.recipe import Recipe
from shapeplan.planning.sensitivity import TOLERANCE, check_tolerance
from shapeplan.planning.size import SIZE, size_note, with_size
from shapeplan.planning.warnings import refuse_ratio
from shapeplan.profile import Profile
from shapeplan.quantities import Convention
from shapeplan.sweeps.grid import Start

_NO_COST = "what a shape costs is not known, so the law predicts no loss: add examples to the log, or an architecture"


def recommend(  # noqa: PLR0913 - public: an argument a question
    fit: Fit,
    flops: Amounts | None = None,
    *,
    flops_convention: Convention | None = None,
    loss: Sequence[float] | float | None = None,
    gpus: str | None = None,
    days: float | None = None,
    mfu: float | Profile | None = None,
    price: Price | str | None = None,
    method: str | None = None,
    weights: Mapping[str, float] | str | None = None,
    start: Start | None = None,
    preset: str = "gpu",
    multiples: Mapping[str, int] | None = None,
    heads: int | None = None,
    head_dim: int | None = None,
    tensor_parallel: int = 1,
    pipeline_parallel: int = 1,
    expert_parallel: int = 1,
    max_params: float | None = None,
    max_flops_per_example: float | None = None,
    max_examples: float | None = None,
    epochs: float | None = None,
    inference_examples: float | None = None,
    fix: Mapping[str, float] | None = None,
    trust: float = TRUST,
    tolerance: float = TOLERANCE,
    versus: Sequence[str] | str = (),
    interval: str = "run",
    force: bool = False,
) -> Plan:
    """Recommend a shape for every budget.

    Parameters
    ----------
    fit : Fit
        A fit, or a published law.
    flops : float, str or sequence of them, optional
        Budgets, positive; text as on the command line, e.g. ``500 EFLOP``.
    flops_convention : {"forward", "training"}, optional
        What the budgets count; by default what the law counts.
    loss : float or sequence of float, optional
        Losses to reach with the least compute, in place of budgets.
    gpus, days, mfu : str, float, float or Profile, optional
        ``64xH100`` for so many days at that share of their peak (0.4 by default), in place of budgets; without `days`,
        the plan says how many its training takes. A profile (`read_profile`) has the share of every shape, between
        those that were measured.
    price : Price or str, optional
        What one of them costs an hour: ``2.5/gpu-hour``.
    method : {"optimum", "scale"}, optional
        The shape of least loss under the law, or the paper's recipe ``x_k = x0_k tau^(w_k s_k)``. By default the
        recipe for the law ``star``, for a law without constants, and where a start or weights are given.
    weights : str or mapping of str to float, optional
        Of the recipe: ``implied`` (S_k / s_k; the default where the law implies them), ``equal`` (1/D, the paper's) or
        one weight a dimension.
    start : Start, optional
        Starting point of the recipe in place of the fit's own.
    preset : {"gpu", "tpu", "none"}
        What shapes are rounded to by default: width and mlp_dim to multiples of 16, from 1e19 training FLOPs on of 64
        (``tpu``: 128), and heads to a width that is a multiple of 8, preferably 64 or 128. Where such steps cost more
        than 0.2% of loss, finer ones are taken, down to 8. ``none``: whole numbers, with the heads of the log.
    multiples, heads, head_dim, tensor_parallel, pipeline_parallel, expert_parallel
        Multiples of single dimensions, heads or their width, and devices in place of these; see
        `shapeplan.planning.building`.
    max_params, max_flops_per_example : float, optional
        Most parameters; most forward FLOPs of one example.
    max_examples : float, optional
        How many different examples there are.
    epochs : float, optional
        How often each may be seen, 1 by default; repeated examples are worth less (arXiv:2305.16264, equation 5).
    inference_examples : float, optional
        Examples that are served afterwards; the budget pays for them too, one forward pass each.
    fix : mapping of str to float, optional
        Dimensions that are given.
    trust : float
        How far beyond the trained shapes the optimum may lie, as a factor.
    tolerance : float
        Relative excess loss up to which a shape counts as good as the best, for the valley.
    versus : str or sequence of str
        Shapes to compare with: ``ViT-g/14``, ``24x1024x4096``.
    interval : {"run", "law"}
        Whose interval the loss has.
    force : bool
        Whether to plan on a fit that is not to be trusted.

    Returns
    -------
    Plan
        One `BudgetPlan` a budget, in order.

    Raises
    ------
    PlanError
        If the fit is not to be trusted and not forced, the method needs what the fit has not, no shape keeps the
        limits, a budget does not buy one example, or the best shape is far from every row of the log in examples a
        parameter, without a limit that would explain it.
    ArgumentError
        If a number makes no sense, or options exclude each other.
    """
    check_is_fit(fit)
    check_choice("interval", interval, INTERVALS)
    fit = with_size(fit)
    check_trust(fit, force=force)
    trust, tolerance = number("trust", trust), check_tolerance(number("tolerance", tolerance))
    asked = constraints(
        fit,
        max_params=number_or_none("max_params", max_params),
        max_flops_per_example=number_or_none("max_flops_per_example", max_flops_per_example),
        max_examples=number_or_none("max_examples", max_examples),
        epochs=number_or_none("epochs", epochs),
        inference_examples=number_or_none("inference_examples", inference_examples),
        fix=numbers_by_name("fix", fix),
        trust=trust,
    )
    can_build = builder(
        fit,
        preset=preset,
        multiples={dim: whole("multiples", size) for dim, size in (multiples or {}).items()},
        heads=whole_or_none("heads", heads),
        head_dim=whole_or_none("head_dim", head_dim),
        parallel=Parallelism(
            whole("tensor_parallel", tensor_parallel),
            whole("pipeline_parallel", pipeline_parallel),
            whole("expert_parallel", expert_parallel),
        ),
        held=asked.held,
    )
    rated = [read_versus(str(text), fit) for text in ([versus] if isinstance(versus, str) else versus)]
    optimum = Optimum(fit, asked)
    needs_optimum = "loss" if loss is not None else next(iter(asked.options), None)
    chosen = choose_method(optimum, method, start, weights, needs_optimum=needs_optimum)
    if isinstance(chosen, Recipe):
        _refuse_of_optimum(trust=trust != TRUST, tolerance=tolerance != TOLERANCE)
    hardware = read_hardware(fit, gpus, mfu, price)
    budgets = read_budgets(optimum, can_build, flops, flops_convention, loss, number_or_none("days", days), hardware)
    beside = method_beside(optimum, chosen)
    recipe = next((one for one in (chosen, beside) if isinstance(one, Recipe)), None)
    evaluation = evaluate(optimum, chosen, beside, can_build, budgets, rated, tolerance, of_run=interval == "run")
    plans = evaluation.plans()
    for plan in plans if not (force or asked.given) else ():
        refuse_ratio(fit, plan.examples_per_param, plan.flops)
    return Plan(
        fit=fit,
        method=chosen.name,
        weights=recipe.weights if recipe else {},
        start=recipe.start if recipe else None,
        budgets=plans,
        trust=trust,
        tolerance=tolerance,
        limits=asked.given,
        preset=preset,
        fleet=hardware.fleet,
        mfu=hardware.utilization.constant if hardware.utilization else None,
        price=hardware.price,
        profile=mfu.source if isinstance(mfu, Profile) else "",
        notes=(
            *(note for one in rated for note in one.notes),
            *((size_note(fit),) if fit.dims == (SIZE,) else ()),
            *((_switched(needs_optimum),) if needs_optimum and not fit.law.form.joint else ()),
            *(_of_recipe(fit) if fit.log.recipes else ()),
            *((_NO_COST,) if fit.law.has_loss and not fit.knows_loss else ()),
        ),
    )


def _of_recipe(fit: Fit) -> tuple[str, ...]:
    first, *others = fit.log.recipes
    worth = ", ".join(f"that of {one.name!r} is worth {one.compute.value:.3g} times as much" for one in others)
    return (f"the plan is for the recipe {first.name!r} of {first.column!r}, and so is its compute: {worth}",)


def _refuse_of_optimum(**given: bool) -> None:
    """Raise `ArgumentError` for an argument that only the optimum of a law obeys."""
    for name, said in given.items():
        if said:
            message = f"`{name}` is of the optimum of a law, and the recipe answers here"
            hint = "leave it out, or fit a law to a log of your own"
            raise ArgumentError(ErrorDetail("bad-method", message, hint))


def _switched(option: str) -> str:
    return f"planned by the optimum of the law, not by the recipe, which has no `{option}`"
