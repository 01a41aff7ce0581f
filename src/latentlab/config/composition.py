"""Compose a config and check it."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, final

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from latentlab.config.hydra_internals import ComposingLoader, hydra_config
from latentlab.config.keys import Groups, KeyPath, is_argument, refuse_stray, refuse_unknown_key, unknown_key_message
from latentlab.config.messages import UnknownKey, explain, unknown_key
from latentlab.config.schema import check
from latentlab.config.values import sets_a_value, state_of, with_values
from latentlab.errors import ConfigError, UserError

# What Hydra raises for a command line that it cannot compose; for some mistakes it raises built-in errors.
BUILT_IN = (ValueError, TypeError, AssertionError, LookupError, OSError, RecursionError)
MISTAKES = (HydraException, OmegaConfBaseException, YAMLError, *BUILT_IN)

MOST_KEPT = 100  # configs of a sweep's jobs that are composed before the first starts, about 0.3 MiB each

Compose = Callable[[list[str]], DictConfig]


def new_run_name() -> str:
    """Date, time and four random characters: two runs started in the same second differ."""
    return f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{secrets.token_hex(2)}"


@final
class CheckedLoader(ComposingLoader):
    """Hydra's loader; it checks every composed config by `schema.check` and reports every mistake in one line.

    A key that is not in the config but an argument of the `_target_` beside it may be set like any other.
    `run_name`: the value of `${run_name:}`; it is kept here so that worker processes have the same one.
    `also_check`: called with the config of a single run without its hydra node.

    Raises:
        ConfigError: from `load_configuration` and `load_sweep_config`.
    """

    def __init__(self, search_path: ConfigSearchPath, run_name: str, checks: bool = True) -> None:
        super().__init__(search_path)
        self._run_name = run_name
        self._checks = checks
        self.also_check: Callable[[DictConfig], None] | None = None
        self._checked: dict[tuple[str, ...], DictConfig] = {}

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_checked": {}}  # a worker process composes the config of its job

    @cached_property
    def groups(self) -> Groups:
        return Groups.of(self)

    @cached_property
    def _state(self) -> tuple[object, ...]:
        return state_of(self.groups)

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        compose = partial(
            super().load_configuration,
            config_name,
            run_mode=run_mode,
            from_shell=from_shell,
            validate_sweep_overrides=validate_sweep_overrides,
        )
        if run_mode == RunMode.MULTIRUN:
            # keys that only some of the swept options have are no mistake yet: each job is checked later
            return self._composed_with_any_keys(compose, list(overrides))
        config = self._composed(compose, list(overrides), config_name)
        if config_name is not None:
            if config.hydra.mode == RunMode.MULTIRUN:
                raise ConfigError("hydra.mode: this config describes a sweep; start it with -m")
            self._check(config, overrides, self.also_check)
        return config

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        checked = self._checked.pop(tuple(sweep_overrides), None)
        if checked is None:
            config, overrides = self._of_a_job(master_config, sweep_overrides)
            self._check(config, overrides)
        else:
            config = checked
        OmegaConf.copy_cache(from_config=master_config, to_config=config)
        return config

    def checked(self, master_config: DictConfig, sweep_overrides: list[str]) -> dict[str, Any]:
        """The resolved config of a sweep's job, as it will be but for its folder."""
        config, overrides = self._of_a_job(master_config, sweep_overrides)
        resolved = self._check(config, overrides)
        if len(self._checked) < MOST_KEPT:
            self._checked[tuple(sweep_overrides)] = config
        return resolved

    def _of_a_job(self, master_config: DictConfig, sweep_overrides: list[str]) -> tuple[DictConfig, list[str]]:
        overrides = [*master_config.hydra.overrides.hydra, *sweep_overrides]
        name = master_config.hydra.job.config_name
        config = self._composed(partial(super().load_configuration, name, run_mode=RunMode.RUN), overrides, name)
        return config, overrides

    def _composed(self, compose: Compose, overrides: list[str], name: str | None) -> DictConfig:
        """The config. Hydra composes it where every key that is set exists; else the arguments are added first.

        name: of the primary config.
        """
        found = self._attempt(partial(self._quickly, compose, name), overrides)
        if isinstance(found, DictConfig):
            return found
        with_any_keys = self._quickly(partial(self._composed_with_any_keys, compose), name, overrides, any_key=True)
        everything: Any = OmegaConf.to_container(with_any_keys, resolve=False)
        if is_argument(found.key, everything):
            found = self._attempt(compose, overrides, lambda key: is_argument(key, everything))
        if isinstance(found, DictConfig):
            return found
        KeyPath.of(found.missing, everything).node.pop(found.missing.rpartition(".")[2], None)
        raise ConfigError(unknown_key_message(found.key, everything, self.groups))

    def _quickly(self, compose: Compose, name: str | None, overrides: list[str], any_key: bool = False) -> DictConfig:
        parsed = OverridesParser.create().parse_overrides(overrides)
        config = with_values(compose, parsed, self.groups, (name, *self._state), any_key)
        return compose(overrides) if config is None else config

    def _composed_with_any_keys(self, compose: Compose, overrides: list[str]) -> DictConfig:
        """The config with every key that is set, also those that nothing takes."""
        found = self._attempt(compose, overrides, lambda key: True)
        if isinstance(found, DictConfig):
            return found
        # one of Hydra's own keys, which are not added
        others = [override for override in overrides if not override.startswith("hydra.")]
        known = OmegaConf.to_container(self._composed_with_any_keys(compose, others), resolve=False)
        raise ConfigError(unknown_key_message(found.key, known, self.groups))

    def _attempt(
        self, compose: Compose, overrides: list[str], adds: Callable[[str], bool] | None = None
    ) -> DictConfig | UnknownKey:
        """The config, or which key is set that it does not have.

        adds: whether a key is added where it is missing, as by `++KEY=VALUE`; None: no key is.

        Raises:
            ConfigError: any other mistake in the overrides.
        """
        OmegaConf.register_new_resolver("run_name", lambda: self._run_name, replace=True)
        OmegaConf.register_new_resolver("run_folder", self._run_folder, replace=True)
        OmegaConf.register_new_resolver("basename", _basename, replace=True)
        try:
            if adds is None:
                return _completed(compose(overrides))
            parsed = OverridesParser.create().parse_overrides(overrides)
            added = [sets_a_value(override, self.groups) and adds(override.key_or_group) for override in parsed]
            config = compose([f"++{text}" if add else text for text, add in zip(overrides, added, strict=True)])
            # recorded as they were given
            config.hydra.overrides.task = [o.input_line for o in parsed if not o.is_hydra_override()]
            return _completed(config)
        except UserError:
            raise
        except AttributeError as error:
            if error.obj is not None or error.name != "_set_flag":
                raise
            raise ConfigError("hydra: expected a mapping, found null in a chosen option; leave it out") from error
        except MISTAKES as error:
            unknown = unknown_key(error)
            if unknown is not None:
                return unknown
            raise explain(error, overrides, self.groups) from error

    def _run_folder(self, name: str | None, model: str, data: str) -> str:
        """A run's name, or the time at which it starts, its variant and its data."""
        time, _, characters = self._run_name.rpartition("_")
        return name or f"{time}_{model}_{data}_{characters}".replace("/", "-")

    def _check(
        self, config: DictConfig, overrides: list[str], also: Callable[[DictConfig], None] | None = None
    ) -> dict[str, Any]:
        """The config resolved, without its hydra node; empty for a loader that does not check.

        Raises:
            ConfigError: the config has a mistake.
        """
        if not self._checks:
            return {}
        given = OverridesParser.create().parse_overrides(overrides)
        for override in given:
            refuse_stray(override, self.groups)
        config = deepcopy(config)
        with read_write(config), open_dict(config):
            # set by Hydra only when the job starts
            config.hydra.runtime.output_dir = "."
            with suppress(OmegaConfBaseException):  # a mistake in it is reported below
                config.hydra.runtime.output_dir = config.hydra.run.dir
            config.hydra.job.num, config.hydra.job.id = 0, "0"
            with hydra_config(config):
                del config["hydra"]
                resolved = self._resolved(config, overrides)
                raw: Any = OmegaConf.to_container(config, resolve=False)
                for override in given:
                    refuse_unknown_key(override, resolved)
                check(resolved, raw)
                if also is not None:
                    also(config)
        return resolved

    def _resolved(self, config: DictConfig, overrides: list[str]) -> dict[str, Any]:
        try:
            resolved: Any = OmegaConf.to_container(config, resolve=True)
        except OmegaConfBaseException as error:
            raw: Any = OmegaConf.to_container(config, resolve=False)
            raise explain(error, overrides, self.groups, raw) from error
        return resolved


def _basename(path: object) -> str:
    """The name of a folder, or of a file without its suffix."""
    place = Path(os.path.realpath(os.path.expanduser(str(path))))
    return place.name if os.path.isdir(place) else place.stem


def _completed(config: DictConfig) -> DictConfig:
    """The config with the home folder in place of `~`, and a valid `hydra.verbose`, whose type Hydra asserts later."""
    output_dir = OmegaConf.select(config, "paths.output_dir", throw_on_resolution_failure=False)
    if isinstance(output_dir, str) and output_dir.startswith("~"):
        config.paths.output_dir = os.path.expanduser(output_dir)
    if not isinstance(config.hydra.verbose, bool | str | ListConfig):
        raise ConfigError(f"hydra.verbose: expected a bool or names of loggers, found {config.hydra.verbose}")
    return config
