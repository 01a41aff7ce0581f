"""What a reader of metrics should know about them."""

from collections.abc import Iterable, Mapping

MOST_ERRORS = 0.1  # of the reference classifier


def reservations(runs: Iterable[Mapping[str, float | None]]) -> list[str]:
    """A sentence for each reason to read the metrics of these runs with care."""
    worst = max((metrics.get("test/reference_classifier_error") or 0.0 for metrics in runs), default=0.0)
    if worst <= MOST_ERRORS:
        return []
    return [
        f"The reference classifier errs on {100 * worst:.0f} % of the test images: what it measures of samples "
        "(frechet, precision, recall, completeness, label entropy, label agreement) and latent continuity say little"
    ]
