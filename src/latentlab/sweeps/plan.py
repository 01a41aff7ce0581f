"""A sweep's arguments -> its jobs: each with a folder, and the hash that identifies its experiment."""

import os
import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import islice, product
from math import prod
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from latentlab.config.composition import CheckedLoader
from latentlab.errors import ConfigError
from latentlab.runs import Run
from latentlab.runs.identity import config_hash
from latentlab.runs.resume_state import readable_metrics
from latentlab.sweeps.data_places import DataPlaces
from latentlab.sweeps.launching import Sweep
from latentlab.sweeps.manifest import Job, Manifest
from latentlab.sweeps.names import apart_from, by_what_varies

MAX_JOBS = 10_000  # each is composed before the first one starts


def combinations(arguments: Sequence[str], loader: CheckedLoader) -> list[tuple[str, ...]]:
    """The overrides of each job: every combination of the values given as KEY=A,B."""
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(list(arguments))
    options: dict[str, list[str]] = {}  # a later override of a key wins
    for override in parsed:
        if override.is_sweep_override() and not override.is_discrete_sweep():
            raise ConfigError(f"{override.key_or_group}: an interval is for a search: hydra/sweeper=optuna")
        options[override.get_key_element()] = _options(override)
        if prod(map(len, options.values())) > MAX_JOBS:
            raise ConfigError(f"{override.key_or_group}: expected at most {MAX_JOBS} jobs in all, found more")
    return list(product(*options.values()))


def _options(override: Override) -> list[str]:
    """The override with each of its values, one more than `MAX_JOBS` of them at the most."""
    key = override.get_key_element()
    if not override.is_sweep_override():
        return [f"{key}={override.get_value_element_as_str()}"]
    found = [f"{key}={value}" for value in islice(override.sweep_string_iterator(), MAX_JOBS + 1)]
    if not found:
        raise ConfigError(f"{key}: expected values, found none by {override.input_line}")
    return found


def hashed(sweep: Sweep, jobs: Sequence[tuple[str, ...]], known: Manifest) -> list[Job]:
    """Each config once, in a folder that is yet to be named; those known already are not composed again.

    Raises:
        ConfigError: a job's config is not sound.
        UserError: its data would be taken for that of another job.
    """
    configs = _fingerprint(sweep.loader, str(sweep.config.hydra.job.config_name))
    hashes = {(job.configs, job.overrides): job.config_hash for job in known.jobs}
    places = DataPlaces(sweep.trained_data(known.jobs))
    found: dict[str, Job] = {}
    for overrides in jobs:
        same = None if any("${" in override for override in overrides) else hashes.get((configs, overrides))
        if same is None:
            config = sweep.loader.checked(sweep.config, list(overrides))
            places.refuse_others(config["data"])
            same = config_hash(config)
        found.setdefault(same, Job("", overrides, same, configs))
    return list(found.values())


def in_folders(jobs: Sequence[Job], known: Manifest, sweep_folder: Path) -> list[Job]:
    """The jobs in their folders: a known one in its own, a new one in a folder named by what varies.

    What was copied or linked into the sweep's folder stays as it is.
    """
    taken = {job.folder for job in known.jobs}
    taken |= _of_others(sweep_folder, taken, {job.config_hash for job in jobs})
    with_folders = []
    names = by_what_varies([job.overrides for job in jobs], [job.overrides for job in known.jobs])
    for job, name in zip(jobs, names, strict=True):
        before = known.with_hash(job.config_hash)
        folder = before.folder if before else apart_from(taken, name, job.overrides, job.config_hash)
        taken.add(folder)
        with_folders.append(replace(job, folder=folder))
    return with_folders


def _of_others(sweep_folder: Path, known: Collection[str], hashes: Collection[str]) -> set[str]:
    """Besides the known ones: links, and folders with a complete run of a config that has none of the hashes."""
    found = set()
    for folder in (folder for folder in sweep_folder.iterdir() if folder.name not in known):
        metrics = None if folder.is_symlink() else readable_metrics(Run(folder))
        if folder.is_symlink() or (metrics is not None and metrics.get("config_hash") not in hashes):
            found.add(folder.name)
    return found


def extended(known: Manifest, command: Sequence[str], plan: Sequence[Job]) -> Manifest:
    """The manifest with the plan's jobs in it, and with the command, where it is a new one."""
    fresh = {job.config_hash: job for job in plan}
    kept = [fresh.pop(job.config_hash, job) for job in known.jobs]
    commands = tuple(dict.fromkeys([*known.commands, tuple(command)]))
    return Manifest(known.name, commands, (*kept, *fresh.values()))


def _fingerprint(loader: CheckedLoader, config_name: str) -> str:
    """Of all that a config is composed of besides its overrides: equal overrides then mean an equal config."""
    of_command = [config_name, os.getcwd(), version("latentlab"), version("hydra-core")]  # a path may be relative
    text = "\n".join([*of_command, *_config_texts(loader)])
    variables = [f"{name}={os.environ.get(name)}" for name in sorted(set(re.findall(r"oc\.env:(\w+)", text)))]
    return f"{zlib.crc32(' '.join([text, *variables]).encode()):08x}"


def _config_texts(loader: CheckedLoader) -> Iterator[str]:
    for element in loader.get_search_path().get_path():
        place = str(element.path).removeprefix("file://")
        folder = Path(place)
        for file in sorted(folder.rglob("*.yaml")) if "://" not in place and folder.is_dir() else ():
            yield f"{file.relative_to(folder)}\n{file.read_text()}"
