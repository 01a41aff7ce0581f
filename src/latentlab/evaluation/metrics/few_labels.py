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
    labels = train.y.cpu().numpy()
    for count in counts:
        errors = []
        for draw in range(draws):
            rows = balanced(labels, count, np.random.default_rng((seed, count, draw)))
            if rows is None:
                break
            few = torch.from_numpy(rows).to(x.device)
            errors.append(fit_logistic(x[few], train.y[few], STRENGTH).error(x_test, test.y))
        if errors:
            yield f"few_labels_{count}_error", float(np.mean(errors))
            yield f"few_labels_{count}_spread", float(np.std(errors, ddof=1)) if len(errors) > 1 else 0.0


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
