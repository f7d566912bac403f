"""Sweeps: the structure in a log (dimensions, star, grid), the paper's design, and synthetic logs; one file each."""
