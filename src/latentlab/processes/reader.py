"""Whether stdout still takes what is printed: a reader goes away, as `| head -1` does, or a disk is full."""

import os
import sys

READER_GONE = 141  # 128 + SIGPIPE, the exit status that shells use


def error_of_stdout() -> OSError | None:
    """What a print to it raises now; None where it takes it."""
    try:
        print(flush=True)  # a flush alone passes where the failed print has emptied the buffer
    except OSError as error:
        return error
    return None


def reader_has_gone() -> bool:
    """Whether stdout, and not another pipe, is the broken one; what is left in it is then dropped."""
    is_broken = isinstance(error_of_stdout(), BrokenPipeError)
    if is_broken:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its end
    return is_broken
