"""What whole shapes cost, and what budgets buy with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shapeplan.frozen import frozen
from shapeplan.numerics.arrays import Floats
from shapeplan.planning.optimum import Optimum


@frozen
class ShapeCost:
    """Shapes at budgets; every array has shape (budgets,), and is None where the fit does not know.

    Attributes
    ----------
    shape : mapping of str to ndarray
        All dimensions.
    flops : ndarray
        Budgets, in the convention of the law.
    each : ndarray or None
        Compute of an example of training, in the same.
    forward : ndarray or None
        Its forward FLOPs.
    params, active_params : ndarray or None
        Parameters, and those that a token meets.
    examples : ndarray or None
        Whole examples to train on.
    achieved : ndarray or None
        What they cost, never above the budget.
    serving : ndarray or None
        What serving takes of the budget.
    trained : ndarray
        Compute for training: the budget, but for what serving takes and what data leave over.
    loss : ndarray or None
        The loss under the law.
    """

    shape: Mapping[str, Floats]
    flops: Floats
    each: Floats | None
    forward: Floats | None
    params: Floats | None
    active_params: Floats | None
    examples: Floats | None
    achieved: Floats | None
    serving: Floats | None
    trained: Floats
    loss: Floats | None

    @classmethod
    def of(cls, optimum: Optimum, shape: Mapping[str, Floats], flops: Floats, *, tell_loss: bool) -> ShapeCost:
        """Return the cost of shapes, one a budget.

        Parameters
        ----------
        optimum : Optimum
            The law, with what the plan must keep.
        shape : mapping of str to ndarray, shape (budgets,)
            All dimensions.
        flops : ndarray, shape (budgets,)
            Budgets.
        tell_loss : bool
            Whether the law's loss can be believed.
        """
        around, limits = optimum.fit.cost_model, optimum.asked.limits
        each = forward = examples = achieved = serving = None
        trained = np.asarray(flops, dtype=float)
        if around.cost is not None:
            each = around.flops_per_example(shape)
            forward = each / around.flops_per_forward
            trained = limits.training_flops(flops, each)
            whole = np.floor(np.minimum(trained / each * (1 + 1e-12), limits.most_seen))
            examples = np.maximum(whole, 0.0)
            achieved = np.minimum(flops, examples * each)
            serving = limits.serving_flops(each) if limits.served else None
        loss = None
        if tell_loss:
            # A shape that the budget trains on nothing has no loss.
            loss = optimum.losses(shape, flops)
            loss = loss if examples is None else np.where(examples >= 1, loss, np.nan)
        sizes = around.params(shape), around.active_params(shape)
        return cls(shape, flops, each, forward, *sizes, examples, achieved, serving, trained, loss)
