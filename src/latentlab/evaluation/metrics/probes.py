"""What simple readers find in a code: a linear classifier, nearest neighbours, clusters found without labels."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from latentlab.evaluation.metrics.logistic import fit_logistic
from latentlab.models.codes import Codes

NEIGHBOURS = 10
WIDE = 256  # units from which float32 finds neighbours
ROWS_AT_ONCE = 1_000  # beside all training codes
STRENGTHS = (1.0, 0.1, 0.01)  # C, the inverse of the regularisation's weight
CHOICE_ROWS = 10_000
CLUSTERED = 10_000  # codes
STARTS = 3  # the best counts; steadier over seeds than one start on all codes, and a third of the time

Rows = Float[Tensor, "n d"]
TestRows = Float[Tensor, "m d"]
Labels = Int[Tensor, " n"]


def probes(train: Codes, test: Codes, seed: int = 0) -> Iterator[tuple[str, float]]:
    """Readers of the training codes, judged on the test codes:

    linear_probe_error, knn_error: share of test images that logistic regression (its regularisation chosen on
        training codes) and the 10 nearest neighbours put into another class than their label's.
    kmeans_nmi, kmeans_ari: agreement with the labels of as many clusters as there are classes, found among 10,000
        training codes: normalised mutual information, and the Rand index that is 0 by chance.

    All codes are scaled by one number, so that distances and angles are the model's own.
    """
    x, x_test = scaled(train.z, test.z)
    y, y_test = train.y, test.y
    yield "linear_probe_error", fit_logistic(x, y, chosen_strength(x, y, seed)).error(x_test, y_test)
    yield "knn_error", float(nearest_label(x, y, x_test).ne(y_test).double().mean())
    some = x[row_order(y, seed)[:CLUSTERED]].cpu().numpy()
    fitted = KMeans(int(y.max()) + 1, n_init=STARTS, random_state=seed).fit(some)
    clusters, labels = fitted.predict(x_test.cpu().numpy()), y_test.cpu().numpy()
    yield "kmeans_nmi", float(normalized_mutual_info_score(labels, clusters))
    yield "kmeans_ari", float(adjusted_rand_score(labels, clusters))


def scaled(train: Rows, test: TestRows) -> tuple[Rows, TestRows]:
    """Both less the mean of `train`, over the root of its mean variance."""
    mean = train.mean(0)
    deviation = train.var(0, correction=0).mean().sqrt().clamp_min(1e-12)
    return (train - mean).div_(deviation), (test - mean).div_(deviation)


def nearest_label(x: Rows, y: Labels, x_test: TestRows) -> Int[Tensor, " m"]:
    """The commonest label among the nearest rows of x, the least where several are; one a test row."""
    if x.shape[1] < WIDE:
        reader = KNeighborsClassifier(NEIGHBOURS, algorithm="brute").fit(x.cpu().numpy(), y.cpu().numpy())
        return torch.from_numpy(reader.predict(x_test.cpu().numpy())).to(y)
    # sklearn multiplies in float64, which takes twice as long, and which neighbours in many dimensions do not need
    lengths, found = x.square().sum(1), []
    for part in x_test.split(ROWS_AT_ONCE):
        distances = torch.addmm(lengths, part, x.T, alpha=-2)  # squared, less each test row's own length
        near = distances.topk(min(NEIGHBOURS, len(x)), largest=False, sorted=False).indices
        found.append(torch.nn.functional.one_hot(y[near]).sum(1).argmax(1))
    return torch.cat(found)


def row_order(y: Labels, seed: int) -> Int[Tensor, " n"]:
    """The numbers of the rows, in an order by chance."""
    return torch.from_numpy(np.random.default_rng(seed).permutation(len(y))).to(y.device)


def chosen_strength(x: Rows, y: Labels, seed: int) -> float:
    """The C of logistic regression, fitted to up to 10,000 rows, with which half as many others cost least nats.

    Their errors would leave it to chance: they differ in a few rows.
    """
    order = row_order(y, seed)
    fitted, held_out = order[: CHOICE_ROWS * 3 // 2].tensor_split([min(CHOICE_ROWS, len(y) * 2 // 3)])
    costs = {c: fit_logistic(x[fitted], y[fitted], c).cross_entropy(x[held_out], y[held_out]) for c in STRENGTHS}
    return min(costs, key=lambda c: costs[c])
