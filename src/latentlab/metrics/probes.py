"""What simple readers find in a code: a linear classifier, nearest neighbours, clusters found without labels."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, log_loss, normalized_mutual_info_score
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from latentlab.metrics.codes import Codes

NEIGHBOURS = 10
WIDE = 256  # units from which float32 finds neighbours
ROWS_AT_ONCE = 250  # beside all training codes
ITERATIONS = 300  # of L-BFGS
STRENGTHS = (1.0, 0.1, 0.01)  # C, the inverse of the regularisation's weight
CHOICE_ROWS = 10_000

Rows = Float[np.ndarray, "n d"]
Labels = Int[np.ndarray, " n"]
TestRows = Float[np.ndarray, "m d"]
TestLabels = Int[np.ndarray, " m"]


def probes(train: Codes, test: Codes, seed: int = 0) -> Iterator[tuple[str, float]]:
    """Readers of the training codes, judged on the test codes:

    linear_probe_error, knn_error: share of test images that logistic regression (its regularisation chosen on
        training codes) and the 10 nearest neighbours put into another class than their label's.
    kmeans_nmi, kmeans_ari: agreement with the labels of as many clusters as there are classes: normalised mutual
        information, and the Rand index that is 0 by chance.

    All codes are scaled by one number, so that distances and angles are the model's own.
    """
    x, x_test = scaled(train.z, test.z)
    y, y_test = train.y.cpu().numpy(), test.y.cpu().numpy()
    yield "linear_probe_error", classifier_error(x, y, x_test, y_test, chosen_strength(x, y, seed))
    yield "knn_error", 1 - float((nearest_label(x, y, x_test) == y_test).mean())
    # the last to read x, which it centres in place
    clusters = KMeans(int(y.max()) + 1, random_state=seed, copy_x=False).fit(x).predict(x_test)
    yield "kmeans_nmi", float(normalized_mutual_info_score(y_test, clusters))
    yield "kmeans_ari", float(adjusted_rand_score(y_test, clusters))


def scaled(train: Float[Tensor, "n d"], test: Float[Tensor, "m d"]) -> tuple[Rows, TestRows]:
    """Both less the mean of `train`, over the root of its mean variance."""
    mean = train.mean(0)
    deviation = train.var(0, correction=0).mean().sqrt().clamp_min(1e-12)
    return (train - mean).div_(deviation).cpu().numpy(), (test - mean).div_(deviation).cpu().numpy()


def nearest_label(x: Rows, y: Labels, x_test: TestRows) -> TestLabels:
    """The commonest label among the nearest rows of x, the least where several are; one a test row."""
    if x.shape[1] < WIDE:
        return np.asarray(KNeighborsClassifier(NEIGHBOURS, algorithm="brute").fit(x, y).predict(x_test))
    # sklearn multiplies in float64, which takes twice as long, and which neighbours in many dimensions do not need
    rows, labels = torch.from_numpy(x), torch.from_numpy(y)
    lengths, found = rows.square().sum(1), []
    for part in torch.from_numpy(x_test).split(ROWS_AT_ONCE):
        distances = torch.addmm(lengths, part, rows.T, alpha=-2)  # squared, less each test row's own length
        near = distances.topk(min(NEIGHBOURS, len(rows)), largest=False, sorted=False).indices
        found.append(torch.nn.functional.one_hot(labels[near]).sum(1).argmax(1))
    return torch.cat(found).numpy()


def chosen_strength(x: Rows, y: Labels, seed: int) -> float:
    """The C of logistic regression, fitted to up to 10,000 rows, with which half as many others cost least nats.

    Their errors would leave it to chance: they differ in a few rows.
    """
    order = np.random.default_rng(seed).permutation(len(y))
    fitted, held_out = np.split(order[: CHOICE_ROWS * 3 // 2], [min(CHOICE_ROWS, len(y) * 2 // 3)])
    costs = {c: _cross_entropy(_classifier(x[fitted], y[fitted], c), x[held_out], y[held_out]) for c in STRENGTHS}
    return min(costs, key=lambda c: costs[c])


def classifier_error(x: Rows, y: Labels, x_test: TestRows, y_test: TestLabels, strength: float = 1.0) -> float:
    """Share of the test rows that multinomial logistic regression with C = `strength`, fitted to (x, y), gets wrong."""
    return 1 - float(_classifier(x, y, strength).score(x_test, y_test))


def _classifier(x: Rows, y: Labels, strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=ITERATIONS, tol=1e-3).fit(x, y)


def _cross_entropy(classifier: LogisticRegression, x: TestRows, y: TestLabels) -> float:
    """Nats a row of a class that the classifier has seen."""
    seen = np.isin(y, classifier.classes_)
    return float(log_loss(y[seen], classifier.predict_proba(x[seen]), labels=classifier.classes_))
