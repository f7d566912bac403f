"""The way in, for ``shapeplan`` and ``python -m shapeplan``; nothing that takes time is loaded before `main`."""

from __future__ import annotations

import atexit
import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

EXIT_INTERRUPTED = 130
OUT_OF_MEMORY = "the memory does not suffice; free some, raise the limit (ulimit -v), or give fewer rows"
_LEAST_MEMORY = 192 * 2**20
"""Address space, in bytes, below which numerical libraries do not load: OpenBLAS would ask for more without end."""
_STARVED = (
    "Cannot allocate memory",
    "failed to map segment",
    "can't start new thread",
    "error return without exception set",
)
"""How libraries that are loaded, and the system, say that there is no more memory."""


def main() -> NoReturn:
    """Run the command line; Ctrl-C while it is still being loaded ends it as it does later."""
    try:
        # One command, one process: looking for garbage in what the exit frees anyway would be a tenth of the start-up.
        gc.disable()
        # Nor has the command line plugins of pydantic, which it would look for in every installed package.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        _load_metadata_late()
        # Matrices are small: threads of BLAS, which takes this number too, would cost memory and time.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        if _memory_limit() < _LEAST_MEMORY:
            raise MemoryError
        from shapeplan.cli.app import main as run

        status = run()
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    except Exception as error:  # Libraries name a lack of memory in many ways; all else is raised as it is.
        if not lacks_memory(error):
            raise
        os.write(2, f"error: {OUT_OF_MEMORY}\n".encode())
        status = 1
    leave(status)


def _load_metadata_late() -> None:
    """Put a module in place of `importlib.metadata` that loads it when something of it is called, or looked up.

    Pydantic imports its `entry_points` before it sees that there shall be no plugins. The module loads `email` and much
    more: a twenty-fifth of the start-up.
    """
    import importlib
    from types import ModuleType

    name = "importlib.metadata"
    if name in sys.modules:
        return
    late = ModuleType(name)

    def load() -> ModuleType:
        if sys.modules.get(name) is late:
            del sys.modules[name]
        importlib.metadata = importlib.import_module(name)
        return importlib.metadata

    def look_up(attribute: str) -> object:
        # The import system asks modules for their path and their spec.
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(load(), attribute)

    vars(late).update(__getattr__=look_up, entry_points=lambda **chosen: load().entry_points(**chosen))
    sys.modules[name] = importlib.metadata = late


def _memory_limit() -> float:
    """Return how much address space the system gives, in bytes."""
    try:
        import resource
    except ImportError:  # Windows has no such limits.
        return float("inf")
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return float("inf") if soft == resource.RLIM_INFINITY else float(soft)


def lacks_memory(error: BaseException | None) -> bool:
    """Return whether the system gives no more memory, which is behind an error that a library may name otherwise."""
    while error is not None and not isinstance(error, MemoryError):
        if isinstance(error, ImportError | OSError | RuntimeError | SystemError) and any(
            why in str(error) for why in _STARVED
        ):
            return True
        error = error.__cause__ or error.__context__
    return error is not None


def leave(status: int) -> NoReturn:
    """End with a status, after what was registered for the end; the system frees the memory faster than Python does.

    ``sys.exit`` would also end the process by the signal and not with a status, although Ctrl-C was caught, where it
    came while Python executed source text, as it does to make a dataclass.
    """
    import signal

    # From here on Ctrl-C ends the process at once, without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            continue
    os._exit(status)


if __name__ == "__main__":
    main()
