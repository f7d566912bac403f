"""An existing Ray cluster that runs tasks, through Ray's client: a driver of its own would print to stdout."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from shapeplan.workers.common import AHEAD, LOSSES, cluster_library, lost_workers, no_cluster

T = TypeVar("T")
R = TypeVar("R")
SCHEME = "ray://"
"""What addresses of such clusters begin with."""


def by_ray(call: Callable[[T], R], tasks: Iterable[T], address: str) -> Iterator[R]:
    """Yield results from the cluster at an address, ``ray://host:port``; Ray runs lost tasks again."""
    ray = cluster_library("ray", "ray")
    with _connected(ray, address):
        remote, source = ray.remote(call).options(max_retries=LOSSES), iter(tasks)
        ahead = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting: deque[Any] = deque()
        while True:
            waiting.extend(remote.remote(task) for task in itertools.islice(source, ahead - len(waiting)))
            if not waiting:
                return
            try:
                result: R = ray.get(waiting[0])
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None
            except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError):
                raise lost_workers() from None
            waiting.popleft()
            yield result


@contextlib.contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    """Connect to a cluster that is there, and leave it again."""
    # It tells on stderr what the error below says.
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, ValueError, RuntimeError) as error:
        hint = "start a head with ray start, and give its address, e.g. ray://127.0.0.1:10001"
        raise no_cluster("Ray cluster", address, error, hint) from None
    try:
        yield
    finally:
        ray.shutdown()
