"""`latentlab` in processes of their own, forked from one that has imported it already: seconds less for each.

What the start of an interpreter does, such as reading its variables, is not seen here: `subprocess` is for that.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

_ROOT = Path(__file__).parents[1]


class Forked:
    """A running `latentlab ARGUMENTS` with this folder and environment; `output` is that of stdout and stderr."""

    def __init__(self, *arguments: str) -> None:
        self._temporary = TemporaryDirectory(ignore_cleanup_errors=True)  # removed with this object
        self._folder = Path(self._temporary.name)
        (self._folder / "output").touch()
        request = [arguments, dict(os.environ), os.getcwd(), str(self._folder)]
        server = _server()
        assert server.stdin is not None
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        while not (text := _read(self._folder / "pid")):
            time.sleep(0.002)
        self.pid = int(text)

    @property
    def output(self) -> str:
        return (self._folder / "output").read_text()

    def poll(self) -> int | None:
        """The exit status, negative after a signal; None while it runs."""
        text = _read(self._folder / "status")
        return int(text) if text else None

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def children(self) -> list[psutil.Process]:
        """All that it has started and they have, but for those that have ended."""
        return psutil.Process(self.pid).children(recursive=True)

    def kill_group(self) -> None:
        """Kill it with all processes that it has started in its own group."""
        os.killpg(self.pid, signal.SIGKILL)

    def wait_until(self, condition: Callable[[], object], seconds: float = 120) -> None:
        """Until something is true; an error where it ends before, or time is up."""
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            assert self.poll() is None, self.output
            time.sleep(0.005)
        assert condition()

    def finish(self, seconds: float = 120) -> tuple[int, str]:
        """Exit status and output; it is killed, and an error raised, where it does not end in time."""
        deadline = time.monotonic() + seconds
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                self.kill_group()
                raise TimeoutError(self.output)
            time.sleep(0.01)
        return status, self.output


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


@cache
def _server() -> subprocess.Popen[str]:
    """Of this process, with whose end it ends."""
    return subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE, text=True, cwd=_ROOT)


def _serve() -> Any:
    """Return, in a new process for each request, what it is to do."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the processes that wait for a job are not waited for
    for line in sys.stdin:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            request = json.loads(line)
            if (pid := os.fork()) == 0:
                return request
            folder = Path(request[-1])
            (folder / "pid").write_text(str(pid))
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            (folder / "status").write_text(str(status))
            os._exit(0)
    raise SystemExit


def _become(arguments: list[str], environment: dict[str, str], cwd: str, folder: str) -> None:
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    output = os.open(f"{folder}/output", os.O_WRONLY | os.O_APPEND)
    for descriptor, target in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (output, 2)):
        os.dup2(descriptor, target)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["latentlab", *arguments]


if __name__ == "__main__":
    import gc
    from contextlib import redirect_stdout
    from io import StringIO

    import latentlab.commands.experiment
    import latentlab.data.digits
    import latentlab.evaluation.evaluate_run
    import latentlab.sweeps.sweep  # noqa: F401
    from latentlab.__main__ import main
    from latentlab.commands import train

    with redirect_stdout(StringIO()):
        train.main(["data=digits", "--cfg", "job"])  # imports Hydra's plugins, and reads the signatures
    gc.freeze()  # else each process would copy all pages in a search for garbage
    _become(*_serve())
    main()
