"""An entry point called in this process, for tests that need no process of its own: torch takes seconds to import."""

import contextlib
import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest

from latentlab.__main__ import main


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def called(
    subcommand: str, *arguments: str, folder: Path | str = ".", environment: Mapping[str, str] | None = None
) -> Done:
    """What `latentlab SUBCOMMAND ARGUMENTS` says in that folder and environment, and what it exits with."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["latentlab", subcommand, *arguments]),
        patch.dict(os.environ, environment or {}, clear=environment is not None),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    status = ended.value.code
    if isinstance(status, str):  # as the interpreter does it
        print(status, file=err)
        status = 1
    return Done(status or 0, out.getvalue(), err.getvalue())
