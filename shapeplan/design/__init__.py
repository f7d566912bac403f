"""Sweeps to come: stars and grids laid out, what they would buy, and which run to add next."""
