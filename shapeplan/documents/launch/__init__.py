"""Files that start the runs of a design: one module a launcher.

A new one is added to `LAUNCHERS` in `launch.py`, whose `Launcher` says what it has. Every row of a design is a run of
its own, trained to its end, and so is one job.
"""
