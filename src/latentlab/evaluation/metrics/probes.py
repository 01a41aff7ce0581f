"""Linear, k-NN and k-means probes of the codes."""

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
WIDE = 256  # units from which neighbours are found in float32
ROWS_AT_ONCE = 1_000  # test codes, whose distances to all training codes are held
STRENGTHS = (100.0, 10.0, 1.0, 0.1, 0.01, 0.001)  # C, the inverse weight of the regularisation
CHOICE_ROWS = 10_000
CLUSTERED = 10_000  # codes
STARTS = 3  # of which the best is used: less variance over seeds than one on all codes, in a third of the time

Rows = Float[Tensor, "n d"]
TestRows = Float[Tensor, "m d"]
Labels = Int[Tensor, " n"]


def probes(train: Codes, test: Codes) -> Iterator[tuple[str, float]]:
    """Probes fitted to the training codes, evaluated on the test codes:

    linear_probe_error: fraction of test images misclassified by logistic regression, its regularisation chosen on
        training codes, C from 0.001 to 100 (Alain and Bengio 2016); lower is better.
    knn_error: the same of the majority among the 10 nearest neighbours (Cover and Hart 1967); lower is better.
    kmeans_nmi, kmeans_ari: agreement with the labels of k-means clusters, one per class, fitted to 10,000 training
        codes: normalised mutual information in [0, 1] (Strehl and Ghosh 2002), and the Rand index adjusted to 0 for
        chance (Hubert and Arabie 1985); higher is better.

    All codes are scaled by one number, which keeps the ratios of distances and the angles.
    """
    yield "linear_probe_error", linear_probe_error(train, test)
    x, x_test = scaled(train.z, test.z)
    y, y_test = train.y, test.y
    yield "knn_error", float(nearest_label(x, y, x_test).ne(y_test).double().mean())
    subset = x[row_order(y)[:CLUSTERED]].cpu().numpy()
    fitted = KMeans(int(y.max()) + 1, n_init=STARTS, random_state=0).fit(subset)
    clusters, labels = fitted.predict(x_test.cpu().numpy()), y_test.cpu().numpy()
    yield "kmeans_nmi", float(normalized_mutual_info_score(labels, clusters))
    yield "kmeans_ari", float(adjusted_rand_score(labels, clusters))


def linear_probe_error(train: Codes, test: Codes) -> float:
    """See `probes`."""
    x, x_test = scaled(train.z, test.z)
    return fit_logistic(x, train.y, chosen_strength(x, train.y)).error(x_test, test.y)


def scaled(train: Rows, test: TestRows) -> tuple[Rows, TestRows]:
    """Both minus the mean of `train`, divided by the root of its mean variance."""
    mean = train.mean(0)
    deviation = train.var(0, correction=0).mean().sqrt().clamp_min(1e-12)
    return (train - mean).div_(deviation), (test - mean).div_(deviation)


def nearest_label(x: Rows, y: Labels, x_test: TestRows) -> Int[Tensor, " m"]:
    """The most frequent label among the nearest rows of x, of ties the least, for each test row."""
    if x.shape[1] < WIDE:
        classifier = KNeighborsClassifier(NEIGHBOURS, algorithm="brute").fit(x.cpu().numpy(), y.cpu().numpy())
        return torch.from_numpy(classifier.predict(x_test.cpu().numpy())).to(y)
    # sklearn multiplies in float64, which takes twice as long and is not needed in many dimensions
    lengths, found = x.square().sum(1), []
    for rows in x_test.split(ROWS_AT_ONCE):
        distances = torch.addmm(lengths, rows, x.T, alpha=-2)  # squared, minus the squared length of each test row
        near = distances.topk(min(NEIGHBOURS, len(x)), largest=False, sorted=False).indices
        found.append(torch.nn.functional.one_hot(y[near]).sum(1).argmax(1))
    return torch.cat(found)


def row_order(y: Labels) -> Int[Tensor, " n"]:
    """The indices of the rows in a random order, which depends on their number alone."""
    return torch.from_numpy(np.random.default_rng(0).permutation(len(y))).to(y.device)


def chosen_strength(x: Rows, y: Labels) -> float:
    """The C of logistic regression with the least cross-entropy on held-out rows.

    It is fitted to up to 10,000 rows, and half as many are held out. Cross-entropy, because the errors of the
    candidates differ in a few rows only.
    """
    order = row_order(y)
    fitted, held_out = order[: CHOICE_ROWS * 3 // 2].tensor_split([min(CHOICE_ROWS, len(y) * 2 // 3)])
    costs = {c: fit_logistic(x[fitted], y[fitted], c).cross_entropy(x[held_out], y[held_out]) for c in STRENGTHS}
    return min(costs, key=lambda c: costs[c])
