"""Where simulations and fits run: in this process, in processes of this machine, or on a Dask or Ray cluster.

Tasks are pure and carry their own seed, so that where and how often one runs is not seen in its result; results come in
the order of the tasks, and only so many tasks are under way that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from shapeplan.frozen import frozen
from shapeplan.workers.dask_cluster import by_dask
from shapeplan.workers.processes import by_processes
from shapeplan.workers.ray_cluster import SCHEME, by_ray

T = TypeVar("T")
R = TypeVar("R")


@frozen
class Executor:
    """Where tasks run.

    Attributes
    ----------
    jobs : int
        Processes on this machine; 1 for this one alone.
    scheduler : str or None
        A cluster in place of processes on this machine: the address of a Dask scheduler, ``tcp://host:port``, or of a
        Ray cluster, ``ray://host:port``.
    """

    jobs: int = 1
    scheduler: str | None = None

    def map(self, call: Callable[[T], R], tasks: Iterable[T]) -> Generator[R, None, None]:
        """Yield the result of every task, in the order of the tasks.

        Parameters
        ----------
        call : callable
            A function of a module, whose result depends on the task alone; a lost worker's tasks run again.
        tasks : iterable
            What can be pickled.

        Raises
        ------
        ArgumentError
            If the cluster does not answer, or has no worker, after some seconds, or its library is not installed.
        FitError
            If workers are lost again and again without a result.
        """
        if self.scheduler is not None:
            by_cluster = by_ray if self.scheduler.startswith(SCHEME) else by_dask
            yield from by_cluster(call, tasks, self.scheduler)
        elif self.jobs <= 1:
            yield from map(call, tasks)
        else:
            yield from by_processes(call, tasks, self.jobs)


HERE = Executor()
"""This process alone."""
