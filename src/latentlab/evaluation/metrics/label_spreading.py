"""Semi-supervised classification: labels spread over the graph of near training codes."""

from collections.abc import Iterator
from typing import NamedTuple, final

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array, diags_array
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from latentlab.evaluation.metrics.few_labels import COUNTS, DRAWS, drawn, mean_and_spread
from latentlab.models.codes import Codes

UNITS = 50  # of wider codes, the first principal components
NEIGHBOURS = 10
NEAR = 7  # the neighbour whose distance is a code's scale: Zelnik-Manor and Perona 2004
ALPHA = 0.99
TOLERANCE = 1e-5  # of the residual: scores far from every label are small
ITERATIONS = 200

Rows = Float[np.ndarray, "n d"]
TestRows = Float[np.ndarray, "m d"]
Scores = Float[np.ndarray, "n k"]


@final
class Graph(NamedTuple):
    """spreading: S, (N, N), symmetric, of the training codes. votes: (M, N), of training codes for test codes."""

    spreading: csr_array
    votes: csr_array


def label_spreading(
    train: Codes, test: Codes, counts: tuple[int, ...] = COUNTS, draws: int = DRAWS, seed: int = 0
) -> Iterator[tuple[str, float]]:
    """Fraction of misclassified test images, with the draws of labels of `few_labels`; lower is better.

    few_labels_N_spreading_error: mean over `draws` draws of N labelled training images.
    few_labels_N_spreading_spread: its standard deviation over the draws.

    Labels spread over the graph of all training codes (Zhou et al. 2004), the mass of each class is made that of its
    labels (Zhu et al. 2003), and the labels of the nearest training codes vote for that of a test code, which has no
    part in the graph.
    """
    graph = neighbour_graph(*components(train.z.cpu().numpy(), test.z.cpu().numpy()))
    labels, y_test = train.y.cpu().numpy(), test.y.cpu().numpy()
    classes, target = np.unique(labels, return_inverse=True)
    for count, rows in drawn(labels, counts, draws, seed):
        given = np.stack([one_hot(target, draw, len(classes)) for draw in rows], axis=1)
        scores = spread(graph.spreading, given.reshape(len(labels), -1)).reshape(given.shape)
        errors = []
        for draw in range(len(rows)):
            spread_labels = with_class_mass(scores[:, draw], given[:, draw].sum(0)).argmax(1)
            errors.append(float((classes[vote(graph.votes, spread_labels, len(classes))] != y_test).mean()))
        yield from mean_and_spread(f"few_labels_{count}_spreading", errors)


def components(
    x: Rows, x_test: TestRows
) -> tuple[Float[np.ndarray, "n components"], Float[np.ndarray, "m components"]]:
    """The first 50 principal components of x, as coordinates of both; both as they are where they have no more."""
    if x.shape[1] <= UNITS:
        return x, x_test
    pca = PCA(min(UNITS, len(x) - 1), svd_solver="covariance_eigh").fit(x)
    return pca.transform(x), pca.transform(x_test)


def neighbour_graph(x: Rows, x_test: TestRows, neighbours: int = NEIGHBOURS) -> Graph:
    """The graph of the rows of x with their nearest ones, and the votes of those nearest to each test row.

    The weight W of rows i and j is exp(-d^2 / (s_i s_j)), s the distance to the seventh neighbour (Zelnik-Manor and
    Perona 2004), where one is among the nearest of the other, twice that where each is (Iscen et al. 2019), and
    else 0; S = D^-1/2 W D^-1/2, D the sums of the rows.
    """
    found = NearestNeighbors(n_neighbors=min(neighbours, len(x) - 1), algorithm="brute").fit(x)
    distance, near = found.kneighbors()  # of each row, without itself
    distance_test, near_test = found.kneighbors(x_test)
    scale, scale_test = _scales(distance), _scales(distance_test)
    one_way = _sparse(np.exp(-(distance**2) / (scale[:, None] * scale[near])), near, len(x))
    weights = one_way + one_way.T
    root = diags_array(1 / np.sqrt(np.maximum(weights.sum(1), np.finfo(np.float32).tiny)))
    votes = np.exp(-(distance_test**2) / (scale_test[:, None] * scale[near_test]))
    return Graph((root @ weights @ root).tocsr().astype(np.float32), _sparse(votes, near_test, len(x)))


def _scales(distance: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    return np.maximum(distance[:, min(NEAR, distance.shape[1]) - 1], 1e-12)


def _sparse(values: Float[np.ndarray, "m k"], columns: Int[np.ndarray, "m k"], width: int) -> csr_array:
    rows, each = values.shape
    return csr_array((values.ravel(), columns.ravel(), np.arange(0, rows * each + 1, each)), shape=(rows, width))


def one_hot(target: Int[np.ndarray, " n"], rows: Int[np.ndarray, " drawn"], classes: int) -> Scores:
    """1 for the class of each of these rows, 0 elsewhere."""
    found = np.zeros((len(target), classes), dtype=np.float32)
    found[rows, target[rows]] = 1
    return found


def spread(spreading: csr_array, given: Scores, tolerance: float = TOLERANCE) -> Scores:
    """F that solves (I - alpha S) F = Y, for each column of `given` Y: the limit of F <- alpha S F + (1 - alpha) Y but
    for the factor 1 - alpha (Zhou et al. 2004, equation 4).

    By conjugate gradients, as I - alpha S is positive definite: where the iteration gains 1 % a step, some 60 steps
    reach a residual of `tolerance` times the length of Y.
    """
    found, residual = np.zeros_like(given), given.copy()
    direction, squares = residual.copy(), (residual**2).sum(0)
    enough = tolerance**2 * squares
    for _ in range(ITERATIONS):
        if (squares <= enough).all():
            break
        image = direction - ALPHA * (spreading @ direction)
        step = squares / np.maximum((direction * image).sum(0), np.finfo(given.dtype).tiny)
        found += step * direction
        residual -= step * image
        before, squares = squares, (residual**2).sum(0)
        direction *= squares / np.maximum(before, np.finfo(given.dtype).tiny)
        direction += residual
    return found


def with_class_mass(scores: Scores, mass: Float[np.ndarray, " k"]) -> Scores:
    """Each column scaled to the sum that `mass` gives it: Zhu et al. 2003, section 4."""
    return scores * (mass / np.maximum(scores.sum(0), np.finfo(scores.dtype).tiny))


def vote(votes: csr_array, target: Int[np.ndarray, " n"], classes: int) -> Int[np.ndarray, " m"]:
    """The class of most votes for each row of `votes`, (M, N), where voter n has the class `target`[n]."""
    return (votes @ np.eye(classes, dtype=np.float32)[target]).argmax(1)
