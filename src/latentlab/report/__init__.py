"""Runs compared on one page: read from their folders, grouped by config without seed, compared by intervals over seeds.

Nothing here imports torch: a report starts fast, and whatever a run folder holds is read as plain text or pixels.

In Python, `latentlab.report(...)` writes a report: the package itself can be called, as it has the function's name.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, final


@final
class _Callable(ModuleType):
    def __call__(
        self,
        runs: "str | Path | Sequence[Any]",
        output: "str | Path | None" = None,
        baseline: str | None = None,
        partial_data: bool = False,
    ) -> Path:
        """Compare the runs of a sweep's folder, or any runs, on one page; returns the page.

        runs: the folder, or a list of folders or of runs as `latentlab.train` returns them.
        output: the folder of the page; None: that of the sweep, or outputs/reports.
        baseline: the name of the group that differences are taken from; None: the best group of each metric.
        partial_data: whether runs that saw only a part of their data are in groups too.

        Raises:
            UserError: there are no runs, or no group has the baseline's name.
        """
        from latentlab.errors import UserError
        from latentlab.report.write import write_report, write_report_of_runs

        if isinstance(runs, str | Path):
            if not Path(runs).is_dir():
                raise UserError(f"report: expected the folder of a sweep, or a list of runs, found {runs}")
            return write_report(runs, baseline, output, partial_data)
        several: list[Any] = [runs] if hasattr(runs, "folder") else [*runs]
        folders = [Path(getattr(run, "folder", run)) for run in several]
        if not folders:
            raise UserError("report: expected runs, found none")
        folder = output if output is not None else Path("outputs") / "reports"
        return write_report_of_runs(folders, folder, baseline, partial_data)


sys.modules[__name__].__class__ = _Callable
