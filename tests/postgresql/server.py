"""A PostgreSQL on this machine: Debian's package, a data folder of its own, and a server that ends with the tests."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"  # the server refuses to run as root


class NoServerError(Exception):
    """Why there is none on this machine."""


class Server:
    """One that can be stopped and started again on the same port."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._call("initdb", "--pgdata", f"{folder}/data", "--auth=trust", "--username=tester")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://tester@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1"
        self._call(
            "pg_ctl", "start", "--wait", "-D", f"{self._folder}/data", "-l", f"{self._folder}/log", "-o", options
        )

    def stop(self) -> None:
        self._call("pg_ctl", "stop", "-D", f"{self._folder}/data", "--mode=immediate")

    def _call(self, program: str, *arguments: str) -> None:
        command = ["runuser", "-u", USER, "--", str(self._programs / program), *arguments]
        with (self._folder / "output").open("w+") as output:  # a pipe would stay open in the server
            done = subprocess.run(command, cwd=self._folder, stdout=output, stderr=output, timeout=120)
            output.seek(0)
            if done.returncode != 0:
                raise NoServerError(f"{program} failed: {output.read()[-500:]}")


@contextmanager
def running() -> Iterator[Server]:
    """A server that accepts connections.

    Raises:
        NoServerError: it is not installed and cannot be, or does not start.
    """
    if os.geteuid() != 0:
        raise NoServerError("only root can start it as another user")
    programs = _programs() or _installed()
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    shutil.chown(folder, USER)
    try:
        server = Server(programs, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def _installed() -> Path:
    if shutil.which("apt-get") is None:
        raise NoServerError("it is not installed, and there is no apt-get to install it")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "postgresql"]):
        done = subprocess.run(
            ["apt-get", "--quiet", *command], env=environment, capture_output=True, text=True, timeout=300
        )
        if done.returncode != 0:
            raise NoServerError(f"apt-get {command[0]} failed: {done.stderr.strip()[-300:]}")
    programs = _programs()
    if programs is None:
        raise NoServerError("Debian's package has no server")
    return programs
