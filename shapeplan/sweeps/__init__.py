"""Sweeps: the structure in a log (dimensions, star, grid); one file each."""
