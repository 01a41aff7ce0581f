"""Semi-supervised classification: logistic regression on the codes of a few labelled images."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Int

from latentlab.evaluation.metrics.logistic import fit_logistic
from latentlab.evaluation.metrics.probes import scaled
from latentlab.models.codes import Codes

COUNTS = (100, 600, 1_000, 3_000)  # Kingma et al. 2014, table 1
DRAWS = 10
STRENGTH = 1.0  # C of the logistic regression


def few_labels(
    train: Codes, test: Codes, counts: tuple[int, ...] = COUNTS, draws: int = DRAWS, seed: int = 0
) -> Iterator[tuple[str, float]]:
    """Fraction of misclassified test images; lower is better. Protocol and counts of Kingma et al. 2014, table 1:

    few_labels_N_error: mean over `draws` draws of N labelled training images, balanced over the classes.
    few_labels_N_spread: its standard deviation over the draws.

    Skipped are counts N below the number of classes, or for which a class has too few training images.
    """
    x, x_test = scaled(train.z, test.z)
    for count, rows in drawn(train.y.cpu().numpy(), counts, draws, seed):
        errors = []
        for draw in rows:
            few = torch.from_numpy(draw).to(x.device)
            errors.append(fit_logistic(x[few], train.y[few], STRENGTH).error(x_test, test.y))
        yield from mean_and_spread(f"few_labels_{count}", errors)


def drawn(
    labels: Int[np.ndarray, " n"], counts: tuple[int, ...], draws: int, seed: int
) -> Iterator[tuple[int, list[Int[np.ndarray, " drawn"]]]]:
    """(N, the rows of `draws` draws of N labelled images) for each count N that can be drawn balanced."""
    for count in counts:
        rows = [balanced(labels, count, np.random.default_rng((seed, count, draw))) for draw in range(draws)]
        if possible := [row for row in rows if row is not None]:
            yield count, possible


def mean_and_spread(name: str, errors: list[float]) -> Iterator[tuple[str, float]]:
    """NAME_error, the mean of the errors, and NAME_spread, their standard deviation."""
    yield f"{name}_error", float(np.mean(errors))
    yield f"{name}_spread", float(np.std(errors, ddof=1)) if len(errors) > 1 else 0.0


def balanced(y: Int[np.ndarray, " n"], count: int, random: np.random.Generator) -> Int[np.ndarray, " drawn"] | None:
    """Rows of `count` images, equally many per class or one more; None if a class has too few or gets none."""
    classes = np.unique(y)
    each = np.full(len(classes), count // len(classes))
    if count % len(classes):
        each[random.choice(len(classes), count % len(classes), replace=False)] += 1
    if count < len(classes) or (np.bincount(y)[classes] < each).any():
        return None
    drawn = [
        random.choice(np.flatnonzero(y == label), n, replace=False) for label, n in zip(classes, each, strict=True)
    ]
    return np.concatenate(drawn)
