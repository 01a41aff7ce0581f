"""`sweep.json`: the jobs of a sweep's folder. The status of each is in its own folder alone."""

import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import final

from latentlab.errors import UserError
from latentlab.runs import Run
from latentlab.runs.documents import Damaged, json_of, lies_within
from latentlab.runs.files import write_atomically
from latentlab.runs.identity import config_hash
from latentlab.runs.layout import CONFIG, MANIFEST
from latentlab.runs.resume_state import readable_metrics

log = logging.getLogger(__name__)


@final
@dataclass(frozen=True)
class Job:
    """One config of a sweep.

    folder: its name below the sweep's. configs: a fingerprint of the files that its config was composed of.
    """

    folder: str
    overrides: tuple[str, ...]
    config_hash: str
    configs: str = ""


@final
@dataclass(frozen=True)
class Manifest:
    """All jobs ever requested in a sweep's folder, and the different commands that requested them, both in order."""

    name: str
    commands: tuple[tuple[str, ...], ...] = ()
    jobs: tuple[Job, ...] = field(default=())

    @classmethod
    def of(cls, folder: Path) -> "Manifest":
        """That of the folder; without a readable one, made from the runs in the folder."""
        file = folder / MANIFEST
        if not file.is_file():
            return cls(folder.name, jobs=_found(folder))
        try:
            content = json_of(file)
            jobs = tuple(Job(**{**job, "overrides": tuple(job["overrides"])}) for job in content["jobs"])
            if not all(lies_within(job.folder, folder) for job in jobs):
                raise Damaged(f"{file.name} is damaged (a job outside the sweep's folder)")
            # 0.1 recorded the last command alone
            commands = content["commands"] if "commands" in content else [content["command"]]
            return cls(str(content["name"]), tuple(tuple(command) for command in commands if command), jobs)
        except (Damaged, KeyError, TypeError, AttributeError):
            log.warning("%s is damaged; using the runs in its folder", file)
            return cls(folder.name, jobs=_found(folder))

    def with_hash(self, config_hash: str) -> Job | None:
        return next((job for job in self.jobs if job.config_hash == config_hash), None)

    def write(self, folder: Path) -> None:
        write_atomically(folder / MANIFEST, json.dumps(asdict(self), indent=1) + "\n")


def _found(folder: Path) -> tuple[Job, ...]:
    runs = [Run(file.parent.parent) for file in sorted(folder.glob(f"*/{CONFIG}"))]
    return tuple(Job(run.folder.name, (), _hash(run)) for run in runs)


def _hash(run: Run) -> str:
    metrics = readable_metrics(run)
    if metrics is not None:
        return str(metrics.get("config_hash", ""))
    try:
        return config_hash(run.config)
    except UserError:
        return ""
