"""Fitting: the engine, the bootstrap, the diagnostics, the check before a fit and the fit itself; one file each.

`fitting.result` needs no optimizer, so that plans are made and documents read without one.
"""
