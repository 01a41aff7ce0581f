"""docs/results.md: the published values beside ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple, final

from latentlab.report.results.claims import Claim, Reproduction
from latentlab.report.results.measured import Measured
from latentlab.report.statistics.intervals import Summary, summary
from latentlab.report.statistics.measures import ARROWS, compact, counted, with_half

HEAD = """# Results

Recipes on the official test images, beside what is published. Ours are means over seeds with the half-width of the 95 %
interval of the mean (Student's t). Seconds are of the training of all models of a recipe with one seed, the fastest, on
a machine that may have done other work meanwhile (the header of each recipe has the time on idle cores). A published
value is a single number, whose own uncertainty is rarely given; one seed of ours, without an interval, is not compared
with it. An aim is a bound that this project sets itself, compared with the mean alone. The NLL of a conditional variant
is that of p(x given y).
Below the table: protocol, source, the exact command and a picture of each. [Metrics](metrics.md) defines the metrics.
`RUN` is the folder of each run below `outputs/sweeps`.
`latentlab reproduce` trains what is missing and writes this page; with the name of a recipe, that one alone.
"""
COLUMNS = ("recipe", "metric", "published", "ours", "seconds", "aim", "verdict")


@final
class Row(NamedTuple):
    """One metric of a recipe."""

    recipe: str
    claim: Claim
    found: Summary
    seconds: float

    @property
    def verdict(self) -> str:
        """Whether the aim is met, and how its mean stands to the published value."""
        mean, sign = self.found.mean, 1 if self.claim.measure.better == "lower" else -1
        assert mean is not None
        said = []
        if self.claim.aim is not None:
            said.append("aim met" if sign * (mean - self.claim.aim) <= 0 else "**aim missed**")
        if self.claim.published is not None and self.found.half is not None:
            rounding = 10.0 ** int(Decimal(repr(self.claim.published)).as_tuple().exponent) / 2
            difference = sign * (mean - self.claim.published)
            within = self.found.half + rounding
            words = "better than published" if difference < 0 else "worse than published"
            said.append("no difference shown" if abs(difference) <= within else words)
        if self.found.n == 1:
            said.append("one seed")
        return ", ".join(said) or "for the record"

    def cells(self) -> list[str]:
        of = f" ({', '.join(self.claim.of)})" if self.claim.of else ""
        mean, half = self.found.mean, self.found.half
        assert mean is not None
        ours = (
            f"{compact(mean)} in all seeds" if half == 0 else compact(mean) if half is None else with_half(mean, half)
        )
        bound = "≤" if self.claim.measure.better == "lower" else "≥"
        return [
            f"[{self.recipe}](#{self.recipe})",
            f"{self.claim.measure.headline} {ARROWS[self.claim.measure.better]}{of}",
            "" if self.claim.published is None else compact(self.claim.published),
            ours,
            f"{self.seconds:,.0f}",
            "" if self.claim.aim is None else f"{bound} {compact(self.claim.aim)}",
            self.verdict,
        ]


def results_page(what: Iterable[Reproduction], found: Mapping[str, Measured], pictures: Mapping[str, str]) -> str:
    """The page, in Markdown.

    what: the recipes in the order of the page; those that were not measured are named at its end.
    pictures: {recipe: path of its picture, relative to the page}.
    """
    listed = list(what)
    shown = [one for one in listed if one.recipe in found]
    lines = [HEAD, _table([row for one in shown for row in rows(one, found[one.recipe])])]
    if missing := [one.recipe for one in listed if one.recipe not in found]:
        lines.append(f"Not measured yet: {', '.join(missing)}.\n")
    lines += [_section(one, found[one.recipe], pictures.get(one.recipe)) for one in shown]
    return "\n".join(lines)


def rows(what: Reproduction, found: Measured) -> list[Row]:
    pairs = zip(what.claims, found.metrics, strict=True)
    return [Row(what.recipe, claim, summary([*values.values()]), found.least_seconds) for claim, values in pairs]


def _table(shown: Iterable[Row]) -> str:
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(row.cells() for row in shown)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _section(what: Reproduction, found: Measured, picture: str | None) -> str:
    sources = "; ".join(dict.fromkeys(claim.source for claim in what.claims if claim.source))
    which = " ".join([what.recipe, *what.claims[0].of])
    facts = f"{counted(len(found.seconds), 'seed')} ({', '.join(found.seconds)})"
    return "\n".join(
        [
            f"## {what.recipe}\n",
            f"{what.protocol[0].upper()}{what.protocol[1:]}.{f' Published: {sources}.' if sources else ''}\n",
            f"```bash\n{found.command}\n```\n",
            f"{facts} on {found.machine}, revision {found.revision}.\n",
            *([f"![Picture of {which}]({picture})\n"] if picture else []),
        ]
    )
