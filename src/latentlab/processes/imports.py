"""Slow imports without Python's search for cyclic garbage, which finds none in modules.

Of six seconds that a process takes for its imports and its end, it takes two.
"""

import atexit
import gc
from functools import cache
from importlib import import_module


@cache  # once in a process: what is frozen is never freed
def import_quickly(module: str) -> None:
    """Import a module with all that it imports, and keep what is alive then, and at the end, out of later searches."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        import_module(module)
    finally:
        gc.freeze()
        atexit.register(gc.freeze)
        if was_enabled:
            gc.enable()
