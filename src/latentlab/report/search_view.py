"""What the page shows of a search."""

from collections import Counter
from typing import Any

from latentlab.report.charts.search_charts import parallel_charts, search_charts
from latentlab.report.reading.run_sets import RunSet
from latentlab.report.reading.trials import STATUSES, Search, Trial
from latentlab.report.statistics.measures import YARDSTICK, compact, decimals_for

MAX_BEST = 10


def search_values(search: Search, runs: RunSet) -> dict[str, Any]:
    """The values of search.html, for the search that drew these runs.

    best: the best trials, each with its figures on the test set; `others` more are marked in the table only.
    counts: (status, number of trials). decimals: of each objective in the table.
    """
    best = search.best()
    counted = Counter(trial.status for trial in search.trials)
    return {
        "search": search,
        "best": [(trial, _tested(trial, runs)) for trial in best[:MAX_BEST]],
        "others": len(best[MAX_BEST:]),
        "counts": [(status, counted[status]) for status in STATUSES.values() if counted[status]],
        "decimals": [decimals_for([t.values[k] for t in search.complete]) for k in range(len(search.objectives))],
        "charts": search_charts(search),
        "wide_charts": parallel_charts(search),
    }


def _tested(trial: Trial, runs: RunSet) -> str:
    """The yardstick's figures on the test set, by which the trial was not chosen; empty where it was not tested."""
    found = next((record.metrics for record in runs.records if record.name == trial.folder), {})
    pairs = [(known.label, found.get(key)) for key, known in YARDSTICK.items()]
    return ", ".join(f"{label} {compact(value)}" for label, value in pairs if value is not None)
