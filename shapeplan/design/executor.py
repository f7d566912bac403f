"""Where simulations run: in this process, in processes of this machine, or on an existing Dask cluster.

Tasks are pure and carry their own seed, so that where and how often one runs is not seen in its result; results come in
the order of the tasks, and only so many tasks are under way that memory does not grow with their number.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import logging
import multiprocessing
import os
import signal
import threading
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

from shapeplan.errors import ArgumentError, ErrorDetail, FitError

T = TypeVar("T")
R = TypeVar("R")
_AHEAD = 4
"""Tasks under way for every process."""
_LOSSES = 3
"""How often in a row workers may be lost without a result."""
PATIENCE = 10
"""Seconds that a scheduler has to answer, and to have a worker."""


@dataclass(frozen=True)
class Executor:
    """Where tasks run.

    Attributes
    ----------
    jobs : int
        Processes on this machine; 1 for this one alone.
    scheduler : str or None
        Address of a Dask scheduler, ``tcp://host:port``, in place of processes on this machine.
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
            If the scheduler does not answer, or has no worker, within `PATIENCE` seconds.
        FitError
            If workers are lost again and again without a result.
        """
        if self.scheduler is not None:
            yield from _by_scheduler(call, tasks, self.scheduler)
        elif self.jobs <= 1:
            yield from map(call, tasks)
        else:
            yield from _by_processes(call, tasks, self.jobs)


def _by_processes(call: Callable[[T], R], tasks: Iterable[T], jobs: int) -> Iterator[R]:
    source, lost = iter(tasks), 0
    waiting: deque[tuple[T, concurrent.futures.Future[R] | None]] = deque()
    others = set(multiprocessing.active_children())
    pool = _pool(jobs)
    try:
        while True:
            waiting.extend((task, None) for task in itertools.islice(source, _AHEAD * jobs - len(waiting)))
            if not waiting:
                break
            try:
                with _deaf_children():
                    for i, (task, future) in enumerate(waiting):
                        waiting[i] = (task, future or pool.submit(call, task))
                head = waiting[0][1]
                assert head is not None
                result = head.result()
            except BrokenProcessPool:
                lost += 1
                if lost > _LOSSES:
                    raise _lost() from None
                pool.shutdown(wait=False, cancel_futures=True)
                pool = _pool(jobs)
                waiting = deque((task, future if _finished(future) else None) for task, future in waiting)
                continue
            waiting.popleft()
            lost = 0
            yield result
        pool.shutdown()
    except BaseException:
        # Nothing is to be waited for: leaving the pool would wait for all that has begun.
        for child in set(multiprocessing.active_children()) - others:
            child.kill()
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def _pool(jobs: int) -> concurrent.futures.ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """End this process when the one that started it has ended, even if that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


def _finished(future: concurrent.futures.Future[R] | None) -> bool:
    """Return whether a result is there, or an error of the task's own."""
    if future is None or not future.done() or future.cancelled():
        return False
    return not isinstance(future.exception(), BrokenProcessPool)


def _lost() -> FitError:
    message = f"worker processes ended without a result {_LOSSES + 1} times in a row"
    return FitError(ErrorDetail("lost-workers", message, "see whether memory runs out; use fewer processes"))


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Start processes that do not hear Ctrl-C: it goes to all of a terminal's, and the parent ends them itself."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _by_scheduler(call: Callable[[T], R], tasks: Iterable[T], address: str) -> Iterator[R]:
    try:
        distributed = import_module("distributed")
    except ImportError:
        message = "a scheduler needs distributed, which is not installed"
        hint = "pip install 'shapeplan[cluster]', or leave `scheduler` out"
        raise ArgumentError(ErrorDetail("missing-extra", message, hint)) from None
    with _client(distributed, address) as client:
        name, source = uuid.uuid4().hex, enumerate(tasks)
        ahead = _AHEAD * max(1, sum(client.ncores().values()))
        waiting: deque[Any] = deque()
        while True:
            for i, task in itertools.islice(source, ahead - len(waiting)):
                waiting.append(client.submit(call, task, key=f"shapeplan-{name}-{i}", pure=False))
            if not waiting:
                return
            try:
                result: R = waiting[0].result()
            except distributed.KilledWorker:
                raise _lost() from None
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
        message = f"no Dask scheduler answers at {address!r} ({type(error).__name__})"
        hint = "start one with dask scheduler, and give its address, e.g. tcp://127.0.0.1:8786"
        raise ArgumentError(ErrorDetail("no-scheduler", message, hint, value=address)) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, TimeoutError):
            message = f"the scheduler at {address!r} has no workers"
            hint = f"start one with dask worker {address}"
            raise ArgumentError(ErrorDetail("no-workers", message, hint, value=address)) from None
        yield client
