"""Numbers as callers in Python give them."""

import operator
from typing import Any


def whole_number(value: Any) -> int | None:
    """The number, which may be NumPy's or a tensor's; None for anything else, such as True or 2.0."""
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None
