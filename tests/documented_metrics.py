"""The metrics that docs/metrics.md defines, and whether a reported one is among them."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from latentlab.evaluation.metrics.few_labels import COUNTS
from latentlab.evaluation.metrics.out_of_distribution import TRANSFORMATIONS
from latentlab.evaluation.metrics.robustness import CORRUPTIONS

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
STAGES = ("train/", "val/", "test/")
STRENGTHS = {f"{strength:g}" for strengths in CORRUPTIONS.values() for strength in strengths}
# what the capital words in names stand for
WORDS: Mapping[str, Iterable[object]] = {
    "KIND_STRENGTH": (f"{kind}_{strength:g}" for kind, strengths in CORRUPTIONS.items() for strength in strengths),
    "KIND": TRANSFORMATIONS,
    "SOURCE": ("prior", "gaussian", "mixture"),
    "N": COUNTS,
}
CHOICES = {word: "|".join(re.escape(str(value)) for value in values) for word, values in WORDS.items()}


def sections() -> dict[tuple[str, ...], str]:
    """{names in a heading: the text below it}."""
    parts = re.split(r"^#{2,3} (.*)$", PAGE.read_text(), flags=re.MULTILINE)
    found = {
        tuple(re.findall(r"`([^`]+)`", heading)): text for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }
    return {names: text for names, text in found.items() if names}


def pattern(name: str) -> re.Pattern[str]:
    """The regular expression of all metrics that a heading's placeholder, such as SOURCE, stands for."""
    return re.compile(
        re.sub(r"KIND_STRENGTH|KIND|SOURCE|\bN\b|(?<=_)N(?=_)", lambda word: f"({CHOICES[word[0]]})", name)
    )


PATTERNS = [pattern(name) for names in sections() for name in names]


def undocumented(metrics: Iterable[str]) -> set[str]:
    """Those of the metrics, as `test/mse` or `train/objective_step`, that the page does not define."""
    bare = {metric: re.sub(r"_step$", "", re.sub(r"^(train|val|test)/", "", metric)) for metric in metrics}
    return {metric for metric, name in bare.items() if not any(p.fullmatch(name) for p in PATTERNS)}
