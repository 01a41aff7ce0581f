"""What a job hands back to its launcher: how it ended, and not its configs, which its folder has.

Python's pipes between processes write up to 16 KiB at once. Hydra's 24 KB went in two parts, and a worker killed
between them left joblib's launcher waiting for the second, for ever.
"""

from typing import Any, final

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig


@final
class HandedBack(Callback):
    """Hydra's callback in the process of the job."""

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        job_return.cfg = job_return.hydra_cfg = None
