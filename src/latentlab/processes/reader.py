"""A reader of stdout that goes away, as `| head -1` does."""

import os
import sys

READER_GONE = 141  # 128 + SIGPIPE, the exit status that shells use


def reader_has_gone() -> bool:
    """Whether stdout, and not another pipe, is the broken one; what is left in it is then dropped."""
    try:
        print(flush=True)  # a flush alone passes where the failed print has emptied the buffer
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its end
        return True
    return False
