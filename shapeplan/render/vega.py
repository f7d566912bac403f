"""What Vega's engine makes, in a process of its own: its code holds the interpreter, and Ctrl-C would wait for it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

_PROGRAM = """\
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
import json, vl_convert
order = json.load(sys.stdin.buffer)
made = getattr(vl_convert, order["function"])(*order["arguments"], **order["options"])
sys.stdout.buffer.write(made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass"))
"""


def make(function: str, *arguments: Any, **options: Any) -> bytes:
    """Return what a function of vl-convert makes of arguments that JSON holds; text as UTF-8.

    Raises
    ------
    RuntimeError
        If the engine fails.
    """
    order = json.dumps({"function": function, "arguments": arguments, "options": options}).encode()
    # -P: a file of the user's folder is not taken for a module.
    done = subprocess.run([sys.executable, "-P", "-c", _PROGRAM], input=order, capture_output=True, check=False)
    if done.returncode < 0:
        raise KeyboardInterrupt
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    return done.stdout
