"""Intervals: how residuals scatter, the cluster bootstrap, and the profile likelihood."""
