"""An existing Dask cluster that runs tasks."""

from __future__ import annotations

import contextlib
import itertools
import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from shapeplan.errors import ArgumentError, ErrorDetail
from shapeplan.workers.common import AHEAD, PATIENCE, cluster_library, lost_workers, no_cluster

T = TypeVar("T")
R = TypeVar("R")


def by_dask(call: Callable[[T], R], tasks: Iterable[T], address: str) -> Iterator[R]:
    """Yield results from the workers of the scheduler at an address; Dask runs tasks of a lost one again."""
    distributed = cluster_library("distributed", "cluster")
    with _client(distributed, address) as client:
        name, source = uuid.uuid4().hex, enumerate(tasks)
        ahead = AHEAD * max(1, sum(client.ncores().values()))
        waiting: deque[Any] = deque()
        while True:
            for i, task in itertools.islice(source, ahead - len(waiting)):
                waiting.append(client.submit(call, task, key=f"shapeplan-{name}-{i}", pure=False))
            if not waiting:
                return
            try:
                result: R = waiting[0].result()
            except distributed.KilledWorker:
                raise lost_workers() from None
            waiting.popleft()
            yield result


@contextlib.contextmanager
def _client(distributed: Any, address: str) -> Iterator[Any]:
    """Connect to a scheduler that has a worker."""
    # It tells on stderr what the errors below say.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        hint = "start one with dask scheduler, and give its address, e.g. tcp://127.0.0.1:8786"
        raise no_cluster("Dask scheduler", address, error, hint) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, TimeoutError):
            message = f"the scheduler at {address!r} has no workers"
            hint = f"start one with dask worker {address}"
            raise ArgumentError(ErrorDetail("no-workers", message, hint, value=address)) from None
        yield client
