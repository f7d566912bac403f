"""What the state of a model takes in memory while it is trained: weights, gradients, optimizer."""

from __future__ import annotations

import difflib

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.frozen import frozen


@frozen
class MemoryRecipe:
    """Bytes a parameter, for one way of training.

    Attributes
    ----------
    name : str
        As users write it.
    weights, gradients, optimizer : int
        Bytes a parameter: the weights that multiply, their gradients, and all that the optimizer keeps.
    what : str
        What the bytes are.
    source : str
        Where the recipe is described.
    """

    name: str
    weights: int
    gradients: int
    optimizer: int
    what: str
    source: str

    @property
    def total(self) -> int:
        """Bytes a parameter, all together."""
        return self.weights + self.gradients + self.optimizer


RECIPES: dict[str, MemoryRecipe] = {
    recipe.name: recipe
    for recipe in (
        MemoryRecipe(
            "adamw-mixed",
            2,
            2,
            12,
            "BF16 weights and gradients; FP32 master weights and two moments",
            "arXiv:1910.02054 (ZeRO), section 3.1",
        ),
        MemoryRecipe("adamw-fp32", 4, 4, 8, "everything in FP32: weights, gradients, two moments", "arXiv:1711.05101"),
        MemoryRecipe("adamw-bf16", 2, 2, 4, "everything in BF16: weights, gradients, two moments", "arXiv:1711.05101"),
        MemoryRecipe(
            "adamw-8bit", 2, 2, 6, "BF16 weights and gradients; FP32 master weights, 8-bit moments", "arXiv:2110.02861"
        ),
        MemoryRecipe(
            "adafactor",
            4,
            4,
            2,
            "FP32 weights and gradients; BF16 momentum, factored second moment (below 0.1 byte)",
            "arXiv:2106.04560, section 3.4 (ViT-G; SoViT's optimizer)",
        ),
    )
}
"""Recipes by name."""
DEFAULT_RECIPE = "adamw-mixed"


def find_recipe(name: str) -> MemoryRecipe:
    """Return the recipe of that name; raise `ArgumentError` if there is none."""
    if name not in RECIPES:
        close = difflib.get_close_matches(name, RECIPES, n=1)
        hint = (f"did you mean {close[0]}? " if close else "") + f"the recipes are {', '.join(RECIPES)}"
        raise ArgumentError(ErrorDetail("unknown-recipe", f"there is no recipe {name[:60]!r}", hint, value=name[:60]))
    return RECIPES[name]
