"""What a job returns to its launcher: its result, without its configs, which its folder holds.

Python's pipes between processes write up to 16 KiB at once. Hydra's 24 KB are two writes, and a worker killed
between them leaves joblib's launcher waiting for the second without end.
"""

from typing import Any, final

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig


@final
class CompactReturn(Callback):
    """Hydra's callback in the process of the job."""

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        job_return.cfg = job_return.hydra_cfg = None
