"""The best shape under a law: what a shape costs, within which limits, and the search for the least loss."""
