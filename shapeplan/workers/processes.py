"""Processes of this machine that run tasks; they hear no Ctrl-C, and end with the process that started them."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from shapeplan.workers.common import AHEAD, LOSSES, lost_workers

T = TypeVar("T")
R = TypeVar("R")


def by_processes(call: Callable[[T], R], tasks: Iterable[T], jobs: int) -> Iterator[R]:
    """Yield results from processes of this machine; tasks of a lost one run again."""
    source, lost = iter(tasks), 0
    waiting: deque[tuple[T, concurrent.futures.Future[R] | None]] = deque()
    others = set(multiprocessing.active_children())
    pool = _pool(jobs)
    try:
        while True:
            waiting.extend((task, None) for task in itertools.islice(source, AHEAD * jobs - len(waiting)))
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
                if lost > LOSSES:
                    raise lost_workers() from None
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
    return concurrent.futures.ProcessPoolExecutor(jobs, mp_context=context, initializer=end_with_parent)


def end_with_parent() -> None:
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
