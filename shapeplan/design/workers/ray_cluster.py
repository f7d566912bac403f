"""An existing Ray cluster that runs tasks, through Ray's client: a driver of its own would print to stdout."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, TypeVar

from shapeplan.design.workers.lost import AHEAD, LOSSES, lost_workers
from shapeplan.errors import ArgumentError, ErrorDetail

T = TypeVar("T")
R = TypeVar("R")
SCHEME = "ray://"
"""What addresses of such clusters begin with."""


def by_ray(call: Callable[[T], R], tasks: Iterable[T], address: str) -> Iterator[R]:
    """Yield results from the cluster at an address, ``ray://host:port``; Ray runs lost tasks again."""
    try:
        ray = import_module("ray")
    except ImportError:
        message = "a Ray cluster needs ray, which is not installed"
        hint = "pip install 'shapeplan[ray]', or leave `scheduler` out"
        raise ArgumentError(ErrorDetail("missing-extra", message, hint)) from None
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
        message = f"no Ray cluster answers at {address!r} ({type(error).__name__})"
        hint = "start one with ray start --head, and give its address, e.g. ray://127.0.0.1:10001"
        raise ArgumentError(ErrorDetail("no-scheduler", message, hint, value=address)) from None
    try:
        yield
    finally:
        ray.shutdown()
