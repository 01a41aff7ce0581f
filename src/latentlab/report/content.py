"""Everything that a report shows, before it is formatted as a page or as tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from latentlab.report.charts.axes import Series
from latentlab.report.charts.charts import Charts, colours, draw, ranking
from latentlab.report.comparable import Comparability
from latentlab.report.comparisons import Comparison, compare, sentence
from latentlab.report.glance import Glance, glance
from latentlab.report.pictures import MAX_GROUPS, Gallery, gallery
from latentlab.report.reading.groups import Grouping, grouped
from latentlab.report.reading.records import Record
from latentlab.report.reading.run_sets import RunSet
from latentlab.runs.reservations import reservations

MAX_GROUPS_OF_SEARCH = 6  # whose pictures are shown
WHY = ("versions", "git_revision", "device", "threads")  # facts that explain other metrics of one config


@final
@dataclass(frozen=True)
class Content:
    """problems: runs that failed, are missing, damaged or left out. series: how each group is drawn.

    notes: of the whole page. glance: its first screen, None where the groups are too few or too many for it.
    pictures: those that the first screen does not show.
    baseline: the name of the group that was chosen as the baseline, None where none was.
    """

    runs: RunSet
    grouping: Grouping
    comparisons: list[Comparison]
    problems: list[Record]
    charts: Charts
    glance: Glance | None
    pictures: Gallery
    series: list[Series]
    notes: list[str]
    baseline: str | None

    @classmethod
    def of(cls, runs: RunSet, baseline: str | None, partial_data: bool = False) -> "Content":
        """The runs, grouped and compared.

        partial_data: whether runs on a part of the data are included.

        Raises:
            ConfigError: no group has the baseline's name.
        """
        is_search = runs.search is not None
        grouping = grouped(record for record in runs.records if partial_data or not record.partial_data)
        if runs.search is not None:
            grouping = runs.search.ordered(grouping)
        comparability = Comparability.of(grouping.groups)
        comparisons = compare(grouping.groups, baseline, comparability)
        ranked = ranking(grouping.groups, comparisons, is_search)
        series = colours(grouping.groups, ranked)
        pictures = gallery(grouping.groups, ranked, max_groups=MAX_GROUPS_OF_SEARCH if is_search else MAX_GROUPS)
        first_screen, further_pictures = glance(grouping.groups, runs, pictures, comparability)
        charts = draw(grouping, comparisons, series)
        complete = [record.metrics for group in grouping.groups for record in group.complete]
        problems = _problems(runs, pictures, partial_data)
        return cls(
            runs,
            grouping,
            comparisons,
            problems,
            charts,
            first_screen,
            further_pictures,
            series,
            [*runs.notes, *_repeated_seeds(grouping), *comparability.notes, *reservations(complete)],
            baseline,
        )

    @property
    def main(self) -> list[Comparison]:
        """The comparisons of the yardstick's metrics."""
        return [entry for entry in self.comparisons if entry.is_of_yardstick]

    def findings(self, comparisons: Sequence[Comparison]) -> list[str]:
        """A sentence for each of these metrics that has one; none where the first screen answers questions.

        Of a search only where the leader has several seeds: the best of many trials on the test set is not a finding.
        """
        if self.glance is not None:
            return []
        is_search = self.runs.search is not None
        leaders = [(entry, entry.leader) for entry in comparisons if entry.leader is not None]
        found = [entry for entry, first in leaders if not is_search or entry.summaries[first.index].half is not None]
        return [sentence(entry, self.grouping.groups) for entry in found]


def _repeated_seeds(grouping: Grouping) -> list[str]:
    """A note where runs of one config and one seed have different metrics."""
    found = [some for group in grouping.groups for some in group.seeds_with_different_metrics.values()]
    if not found:
        return []
    one, other = found[0][:2]
    differ = [name.replace("_", " ") for name in WHY if one.facts.get(name) != other.facts.get(name)]
    why = f" ({' and '.join(differ)} differ)" if differ else ""
    return [
        f"{one.name} and {other.name} have one config and one seed, but different metrics{why}; a seed counts once, "
        f"with the mean of its runs{f' (so do {len(found) - 1} more)' if len(found) > 1 else ''}"
    ]


def _problems(runs: RunSet, pictures: Gallery, partial_data: bool) -> list[Record]:
    expected = ("complete", "pruned") if runs.search is not None else ("complete",)
    found = []
    for record in runs.records:
        damage = (*record.damage, *(what for name, what in pictures.damage if name == record.name))
        if record.partial_data and not partial_data:
            options = ", ".join(record.partial_data)
            reason = f"left out, as it saw a part of the data ({options}); partial_data=true includes it"
            found.append(replace(record, reason=reason, damage=damage))
        elif record.status not in expected or damage:
            found.append(replace(record, damage=damage))
    return found
