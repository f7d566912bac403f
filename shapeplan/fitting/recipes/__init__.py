"""Recipes as a factor: logs of several share one law, and tell what each is worth in compute."""

from shapeplan.fitting.recipes.one_recipe import as_one_recipe

__all__ = ["as_one_recipe"]
