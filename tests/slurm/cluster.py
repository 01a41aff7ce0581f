"""A Slurm of one node, on this machine: Debian's packages, a config of its own, and daemons that end with the tests."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PACKAGES = ("slurm-wlm", "munge")
CONFIG = """
ClusterName=test
SlurmctldHost={host}
SlurmUser=root
AuthType=auth/munge
# 5: a job that was put back into the queue waits so many seconds, by default 120
AuthInfo=cred_expire=5,socket={folder}/munge/socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={controller}
SlurmdPort={node}
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=1,sched_interval=2
# more processors than there may be
SlurmdParameters=config_overrides
NodeName={host} CPUs=4
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE
"""


class NoSlurmError(Exception):
    """Why there is none on this machine."""


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """The environment in which sbatch, srun and scontrol work.

    Raises:
        NoSlurmError: it is not installed and cannot be, or does not start.
    """
    if os.geteuid() != 0:
        raise NoSlurmError("only root can start Slurm's daemons")
    if shutil.which("slurmctld") is None or shutil.which("munged") is None:
        _install()
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield _started(folder, stack)


def _install() -> None:
    if shutil.which("apt-get") is None:
        raise NoSlurmError("slurmctld and munged are not installed, and there is no apt-get to install them")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(
            ["apt-get", "--quiet", *command], env=environment, capture_output=True, text=True, timeout=300
        )
        if done.returncode != 0:
            raise NoSlurmError(f"apt-get {command[0]} failed: {done.stderr.strip()[-300:]}")


def _started(folder: Path, stack: ExitStack) -> dict[str, str]:
    folder.chmod(0o755)
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(mode=0o755)
    key = folder / "munge" / "key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    for path in (folder / "munge", key):
        shutil.chown(path, "munge")
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    options = [f"--{option}={folder}/munge/{name}" for option, name in files.items()]
    _daemon(["runuser", "-u", "munge", "--", "munged", "--foreground", *options], dict(os.environ), folder, stack)
    _wait_for((folder / "munge" / "socket").exists, folder)
    config = folder / "slurm.conf"
    controller, node = _free_ports()
    config.write_text(CONFIG.format(host=socket.gethostname(), folder=folder, controller=controller, node=node))
    environment = {**os.environ, "SLURM_CONF": str(config)}
    for daemon in ("slurmctld", "slurmd"):
        _daemon([daemon, "-D"], environment, folder, stack)
    _wait_for(lambda: _output_of("sinfo --noheader --format=%T", environment) == "idle", folder)
    stack.callback(_emptied, environment, folder)  # else the shepherds of its last jobs outlive the daemons
    return environment


def _emptied(environment: dict[str, str], folder: Path) -> None:
    for job in _output_of("squeue --noheader --format=%A", environment).split():
        _output_of(f"scancel {job}", environment)
    _wait_for(lambda: not _output_of("squeue --noheader", environment), folder)


def _daemon(command: list[str], environment: dict[str, str], folder: Path, stack: ExitStack) -> None:
    with (folder / "daemons.log").open("a") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)


def _wait_for(condition, folder: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NoSlurmError(f"it does not start: {(folder / 'daemons.log').read_text()[-1000:]}")
        time.sleep(0.1)


def _output_of(command: str, environment: dict[str, str]) -> str:
    return subprocess.run(command.split(), env=environment, capture_output=True, text=True, timeout=60).stdout.strip()


def _free_ports() -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("", 0))
        return [each.getsockname()[1] for each in sockets]
