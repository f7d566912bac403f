"""The way in, for ``shapeplan`` and ``python -m shapeplan``."""

import atexit
import gc
import os
import sys
from typing import NoReturn

EXIT_INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line; Ctrl-C while it is still being loaded ends it as it does later."""
    # One command, one process: looking for garbage in what the exit frees anyway would be a tenth of the start-up.
    gc.disable()
    # Nor has the command line plugins of pydantic, which it would look for in every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from shapeplan.cli.app import main as run
    except KeyboardInterrupt:
        leave_interrupted()
    run()


def leave_interrupted() -> NoReturn:
    """End with the status of Ctrl-C, after what was registered for the end.

    Where Ctrl-C came while Python executed source text, as it does to make a dataclass, ``sys.exit`` would end the
    process by the signal and not with a status, although the exception was caught.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            continue
    os._exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
