"""Compose a config, and let it through only when it is sound."""

import re
import secrets
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, final

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from latentlab.config.keys import Groups, Place, refuse_stray, refuse_unknown_key
from latentlab.config.messages import explain, unknown_key
from latentlab.config.schema import check
from latentlab.errors import ConfigError, UserError
from latentlab.runs.documents import Damaged, yaml_of

FROM_COMMAND_LINE = "command-line"  # the provider of the folder that --config-dir names
# What Hydra raises for a command line that it cannot follow; its own code raises bare built-in errors too.
BARE = (ValueError, TypeError, AssertionError, LookupError, OSError, RecursionError, YAMLError)
MISTAKES = (HydraException, OmegaConfBaseException, *BARE)


def new_run_name() -> str:
    """Date, time and four random characters: two runs started in the same second differ."""
    return f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{secrets.token_hex(2)}"


@final
class CheckedLoader(ConfigLoader):
    """Hydra's loader with every composed config judged by `schema.check`, and every mistake told in one line.

    A key that is not in the config but in the signature of the `_target_` at that place may be set like any
    other. `run_name` is what `${run_name:}` stands for; it travels with the loader into worker processes.

    Raises:
        ConfigError: from `load_configuration` and `load_sweep_config`.
    """

    def __init__(self, search_path: ConfigSearchPath, run_name: str, checks: bool = True) -> None:
        self._hydra = ConfigLoaderImpl(search_path)
        self._hydra.repository = _BoundedRepository(search_path)
        self._run_name = run_name
        self._checks = checks

    @cached_property
    def groups(self) -> Groups:
        return Groups.of(self._hydra)

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        def compose(arguments: list[str]) -> DictConfig:
            return self._hydra.load_configuration(
                config_name, arguments, run_mode, from_shell, validate_sweep_overrides
            )

        sweeps = run_mode == RunMode.MULTIRUN
        config = self._composed(compose, list(overrides), tolerant=sweeps)
        if not sweeps and config_name is not None:
            if config.hydra.mode == RunMode.MULTIRUN:
                raise ConfigError("hydra.mode: this config describes a sweep; start it with -m")
            self._judge(config, overrides)
        return config

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        config, overrides = self._of_a_job(master_config, sweep_overrides)
        self._judge(config, overrides)
        return config

    def judged(self, master_config: DictConfig, sweep_overrides: list[str]) -> dict[str, Any]:
        """The resolved config of a sweep's job, as it will be but for its folder."""
        return self._judge(*self._of_a_job(master_config, sweep_overrides))

    def _of_a_job(self, master_config: DictConfig, sweep_overrides: list[str]) -> tuple[DictConfig, list[str]]:
        overrides = [*master_config.hydra.overrides.hydra, *sweep_overrides]
        name = master_config.hydra.job.config_name

        def compose(arguments: list[str]) -> DictConfig:
            return self._hydra.load_configuration(name, arguments, RunMode.RUN)

        config = self._composed(compose, overrides, tolerant=False)
        OmegaConf.copy_cache(from_config=master_config, to_config=config)
        return config, overrides

    def _composed(self, compose: Callable[[list[str]], DictConfig], overrides: list[str], tolerant: bool) -> DictConfig:
        """Compose; `tolerant` leaves out keys that only some swept options have: each job is judged later."""
        OmegaConf.register_new_resolver("run_name", lambda: self._run_name, replace=True)
        arguments = list(overrides)
        while True:
            try:
                config = compose(arguments)
                break
            except UserError:
                raise
            except MISTAKES as error:
                index, replacement = self._mended(error, arguments, tolerant)
                arguments[index : index + 1] = replacement
        if arguments != overrides:
            _restore_overrides(config, overrides)
        return config

    def _mended(self, error: Exception, arguments: list[str], tolerant: bool) -> tuple[int, list[str]]:
        """Which argument to replace by which, so that Hydra goes on; ConfigError where none would help."""
        found = unknown_key(error)
        if found is not None:
            key, root = found
            index = next((i for i, argument in enumerate(arguments) if argument.startswith(f"{key}=")), None)
            if index is not None and _takes(root, key):
                return index, [f"+{arguments[index]}"]
            if index is not None and tolerant:
                return index, []
        raise explain(error, arguments, self.groups) from error

    def _judge(self, config: DictConfig, overrides: list[str]) -> dict[str, Any]:
        """The config resolved, if it is sound; of a --help, which composes none, nothing."""
        if not self._checks:
            return {}
        given = OverridesParser.create().parse_overrides(overrides)
        for override in given:
            refuse_stray(override, self.groups)
        config = deepcopy(config)
        before = HydraConfig.instance().cfg
        with read_write(config), open_dict(config):
            # what Hydra fills in only when the job starts
            config.hydra.runtime.output_dir = "."
            config.hydra.job.num, config.hydra.job.id = 0, "0"
            HydraConfig.instance().set_config(config)
            try:
                raw, resolved = _plain(config, resolve=False), _plain(config, resolve=True)
            except OmegaConfBaseException as error:
                raise explain(error, overrides, self.groups) from error
            finally:
                HydraConfig.instance().cfg = before
        for override in given:
            refuse_unknown_key(override, resolved)
        check(resolved, raw)
        return resolved

    # the rest is Hydra's own

    def get_search_path(self) -> ConfigSearchPath:
        return self._hydra.get_search_path()

    def get_sources(self) -> list[ConfigSource]:
        return self._hydra.get_sources()

    def list_groups(self, parent_name: str) -> list[str]:
        return self._hydra.list_groups(parent_name)

    def get_group_options(
        self,
        group_name: str,
        results_filter: ObjectType | None = ObjectType.CONFIG,
        config_name: str | None = None,
        overrides: list[str] | None = None,
    ) -> list[str]:
        return self._hydra.get_group_options(group_name, results_filter, config_name, overrides)

    def compute_defaults_list(self, config_name: str | None, overrides: list[str], run_mode: RunMode) -> Any:
        return self._hydra.compute_defaults_list(config_name, overrides, run_mode)


@final
class _BoundedRepository(ConfigRepository):
    """Hydra's own, which would follow aliases that unfold without end, and wait for a pipe to be written to."""

    def load_config(self, config_path: str) -> ConfigResult | None:
        for source in self.get_sources():
            file = Path(source.path) / f"{config_path}.yaml"
            if source.provider == FROM_COMMAND_LINE and (file.exists() or file.is_symlink()):
                try:
                    yaml_of(file)
                except Damaged as error:
                    raise ConfigError(f"--config-dir: {file.parent}/{error}") from error
        return super().load_config(config_path)


def _takes(root: object, key: str) -> bool:
    """Whether the key would be a new argument of a node whose `_target_` takes it."""
    place = Place.of(key, root)
    return place.there == key.rpartition(".")[0] and place.name in place.names


def _restore_overrides(config: DictConfig, overrides: list[str]) -> None:
    """Record the overrides as they were given."""
    task = [argument for argument in overrides if not re.match(r"[+~]*hydra[./=@]", argument)]
    config.hydra.overrides.task = task
    dirname = config.hydra.job.override_dirname
    for argument in task:
        dirname = dirname.replace(f"+{argument}", argument)
    config.hydra.job.override_dirname = dirname


def _plain(config: DictConfig, resolve: bool) -> dict[str, Any]:
    return {
        str(name): OmegaConf.to_container(node, resolve=resolve) if OmegaConf.is_config(node) else node
        for name, node in _items(config, resolve)
    }


def _items(config: DictConfig, resolve: bool) -> list[tuple[Any, Any]]:
    items = config.items_ex(resolve=resolve)
    return [(name, node) for name, node in items if name != "hydra"]
