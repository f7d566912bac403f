"""Numerical methods that know nothing of runs or laws."""
