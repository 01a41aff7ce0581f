"""The sweepers of latentlab as plugins of Hydra, which instantiates none from outside the package `hydra_plugins`.

Hydra imports every module of that package at each start: what is slow to import is imported by the sweep itself.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

if TYPE_CHECKING:
    from latentlab.sweeps.launching import Sweep


class _InOneFolder(Sweeper, ABC):
    """What a grid and a search share: `hydra.sweep.dir` and the launcher."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        launcher = Plugins.instance().instantiate_launcher(hydra_context, task_function, config)
        self.handed_in = config, hydra_context.config_loader, launcher

    def sweep(self, arguments: list[str]) -> None:
        """Run the jobs that the arguments describe.

        Raises:
            UserError: the command line, the folder, or some of the jobs, after all of them have run.
            Interrupted: SIGINT or SIGTERM.
        """
        from latentlab.sweeps.sweep import run_sweep

        run_sweep(self._run, arguments, *self.handed_in)

    @abstractmethod
    def _run(self, sweep: "Sweep") -> None: ...


@final
class GridSweeper(_InOneFolder):
    """Every combination of the values given (`hydra/sweeper=basic`, the default).

    params: overrides of a recipe, `KEY: A,B`; those of the command line take precedence.
    """

    def __init__(self, params: Mapping[str, str]) -> None:
        self.params = params

    def _run(self, sweep: "Sweep") -> None:
        from latentlab.sweeps.grid import run_grid

        run_grid(sweep)


@final
class SearchSweeper(_InOneFolder):
    """Trials sampled by Optuna (`hydra/sweeper=optuna`). settings: those of `SearchSettings`, which checks them."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def _run(self, sweep: "Sweep") -> None:
        from latentlab.sweeps.search import run_search

        run_search(sweep)
