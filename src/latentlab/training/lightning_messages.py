"""Messages of Lightning that a user can do nothing about."""

import logging
import warnings


def silence_lightning() -> None:
    """Turn off its log lines, about absent devices and other products, which Hydra would print twice."""
    for name in ("lightning", "lightning.pytorch", "lightning.fabric"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    # it returns a run's batches as they are
    warnings.filterwarnings("ignore", message="You have overridden `on_before_batch_transfer` in `LightningModule`")
    # in the epochs before the first validation; a key that none logs is refused after it
    warnings.filterwarnings("ignore", message="`ModelCheckpoint.* could not find the monitored key")
    # which is so in every run that is trained further
    warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")
    # on a machine with Slurm, for a run that does not use it
    warnings.filterwarnings("ignore", message="The `srun` command is available")
    # Lightning 2.6 calls newer torch in an older way: a user can do nothing about it
    warnings.filterwarnings("ignore", message=r"`isinstance\(treespec, LeafSpec\)` is deprecated")
