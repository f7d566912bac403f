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


def main() -> NoReturn:
    """Run the command line; Ctrl-C while it is still being loaded ends it as it does later."""
    try:
        # One command, one process: looking for garbage in what the exit frees anyway would be a tenth of the start-up.
        gc.disable()
        # Nor has the command line plugins of pydantic, which it would look for in every installed package.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        from shapeplan.cli.app import main as run

        status = run()
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    leave(status)


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
