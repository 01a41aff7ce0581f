"""The private interfaces of Hydra 1.3 that are used, all of them and each with its reason.

Hydra's official entry points do not serve a command that answers a mistake in one line within 0.5 s: `@hydra.main`
prints its errors itself, over several lines, and `hydra.compose` makes no run folder, no log and no sweep.
tests/config/test_hydra_internals.py fails, with a line that says what moved, where an upgrade moves one of them.
"""

from abc import ABC
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import final

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig

from latentlab.errors import ConfigError
from latentlab.runs.documents import Damaged, yaml_of

FROM_COMMAND_LINE = "command-line"  # the provider of the folder that --config-dir names

__all__ = ["ComposingLoader", "Hydra", "hydra_config", "hydra_of", "search_path"]


@contextmanager
def hydra_of(loader: ConfigLoader, name: str) -> Iterator[Hydra]:
    """What runs a job in its folder, with its log and callbacks, or a sweep of them: `run`, `multirun`, `show_cfg` ...

    Reason: `@hydra.main` alone makes one, which reads the command line and prints errors by itself.
    """
    hydra = Hydra(task_name=name, config_loader=loader)
    GlobalHydra.instance().clear()
    GlobalHydra.instance().initialize(hydra)
    try:
        yield hydra
    finally:
        GlobalHydra.instance().clear()


def search_path(folder: Path, extra: Path | None) -> ConfigSearchPath:
    """Hydra's own configs, those of `folder` and then those of `extra`.

    Reason: the class is a private one; only `@hydra.main` and `initialize` make objects of it, each for one folder.
    """
    path = create_config_search_path(str(folder))
    if extra is not None:
        path.prepend(FROM_COMMAND_LINE, f"file://{extra}", SearchPathQuery(provider="schema"))
    return path


class ComposingLoader(ConfigLoaderImpl, ABC):
    """Hydra's own loader, which composes a config from defaults lists and overrides.

    Reason: its subclass checks each config before a job or a sweep starts. `hydra.compose` composes for the
    current process only, and not the configs that a sweep's launcher needs.
    """

    def __init__(self, path: ConfigSearchPath) -> None:
        super().__init__(path)
        self.repository = _BoundedRepository(path)


@final
class _BoundedRepository(ConfigRepository):
    """Hydra's reader of config files.

    Reason: it would follow aliases that unfold without end, and wait for a pipe to be written to: no message at all.
    """

    def load_config(self, config_path: str) -> ConfigResult | None:
        for source in self.get_sources():
            file = Path(source.path) / f"{config_path}.yaml"
            if source.provider == FROM_COMMAND_LINE and (file.exists() or file.is_symlink()):
                try:
                    yaml_of(file)
                except Damaged as error:
                    raise ConfigError(f"--config-dir: {file.parent}/{error}") from error
        return super().load_config(config_path)


@contextmanager
def hydra_config(config: DictConfig) -> Iterator[None]:
    """Let `${hydra:...}` refer to this config's hydra node for a while.

    Reason: a job's config is checked before the job starts, which is when Hydra sets it, with no official way back.
    """
    state = HydraConfig.instance()
    before = state.cfg
    state.set_config(config)
    try:
        yield
    finally:
        state.cfg = before
