"""Recipes as a factor: logs of several share one law, and tell what each is worth in compute."""
