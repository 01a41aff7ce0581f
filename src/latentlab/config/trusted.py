"""What a config from a run's folder may name: anybody may have written it, and its targets are called."""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from latentlab.config.signatures import dotted_name
from latentlab.config.sources import NotThereError, find
from latentlab.errors import UserError

# the kinds of components that a run consists of; also as they are imported by most, so that large files are not read
KINDS = {
    "torch.nn.Module",
    "torch.nn.modules.module.Module",
    "torch.optim.Optimizer",
    "torch.optim.optimizer.Optimizer",
    "lightning.pytorch.LightningModule",
    "lightning.pytorch.callbacks.callback.Callback",
    "lightning.pytorch.core.datamodule.LightningDataModule",
    "lightning.pytorch.core.module.LightningModule",
    "lightning.pytorch.loggers.logger.Logger",
    "lightning.pytorch.trainer.trainer.Trainer",
    "latentlab.functional.corruption.Corruption",
    "latentlab.models.bounds.Bound",
    "latentlab.functional.schedules.RateSchedule",
    "latentlab.functional.schedules.WeightSchedule",
}
MOST_BASES = 20  # a longer chain is a circle
FUNCTIONS = ("latentlab.evaluation.metrics.", "latentlab.training.tracking.wandb_logger")


def refuse_foreign_code(config: Any, source: object) -> None:
    """Check the classes and functions that a config names; nothing of them is imported.

    config: resolved, of plain containers.
    source: where the config comes from, as an error calls it.

    Raises:
        UserError: one of them is not found, or is no component of a run, such as `os.system`.
    """
    for key, target in _targets("", config):
        try:
            is_component = _is_component(target)
        except NotThereError as error:
            raise UserError(
                f"{source}: {key}._target_: {str(target)[:100]} not found ({error}); install its package"
            ) from error
        if not is_component:
            raise UserError(
                f"{source}: {key}._target_: expected a network, callback, logger or other component of a run, found "
                f"{str(target)[:100]!r}; nothing of it was called; do not continue a run that you do not trust"
            )


def _targets(key: str, node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield key, node["_target_"]
        for name, value in node.items():
            yield from _targets(f"{key}.{name}" if key else str(name), value)
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from _targets(f"{key}.{index}", value)


def _is_component(target: Any, depth: int = 0) -> bool:
    """Whether it is a class that derives from one of the kinds, or one of the functions, wherever it is defined."""
    if not isinstance(target, str):
        return False
    if target in KINDS:
        return True
    definition = find(target)
    if definition is None or depth > MOST_BASES:
        return False
    if isinstance(definition.node, ast.FunctionDef):
        return f"{definition.module.name}.{definition.node.name}".startswith(FUNCTIONS)
    if not isinstance(definition.node, ast.ClassDef):
        return False
    if f"{definition.module.name}.{definition.node.name}" in KINDS:
        return True
    bases = [dotted_name(base, definition.module) for base in definition.node.bases]
    return any(_is_component(base, depth + 1) for base in bases)
