"""The label and unit of each metric, whether lower or higher is better, and how numbers are formatted."""

import math
import re
from dataclasses import dataclass
from typing import final

from latentlab.report.statistics.intervals import Better

ARROWS = {"lower": "↓", "higher": "↑", None: ""}  # to the better values


@final
@dataclass(frozen=True)
class Measure:
    """key: as in metrics.json. better: None where neither lower nor higher is, or where it is unknown."""

    key: str
    label: str
    unit: str = ""
    better: Better | None = None

    @property
    def headline(self) -> str:
        """The label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def _measures(*rows: tuple[str, str, str, Better | None]) -> dict[str, Measure]:
    return {f"test/{key}": Measure(f"test/{key}", label, unit, better) for key, label, unit, better in rows}


MAX_DECIMALS = 8
FAR_ABOVE = 100
MINUS = "\u2212"
NATS = "nats per image"

# the metrics that every variant reports, whatever its objective is
YARDSTICK = _measures(
    ("mse", "MSE", "per pixel", "lower"),
    ("mse_grey", "MSE, grey levels", "per pixel", "lower"),
    ("bce", "BCE", NATS, "lower"),
    ("kl", "KL", NATS, None),
    ("elbo", "ELBO", NATS, "higher"),
    ("nll", "NLL", NATS, "lower"),
    ("nll_binarized", "NLL, binarised", NATS, "lower"),
)

FURTHER = _measures(
    ("linear_probe_error", "linear probe error", "fraction of images", "lower"),
    ("frechet_prior", "Fréchet distance, prior", "reference classifier", "lower"),
    ("rate", "rate", NATS, None),
    ("distortion", "distortion", NATS, None),
    ("knn_error", "nearest-neighbour error", "fraction of images", "lower"),
    ("kmeans_nmi", "k-means NMI", "", "higher"),
    ("kmeans_ari", "k-means ARI", "", "higher"),
    ("frechet_mixture", "Fréchet distance, mixture", "reference classifier", "lower"),
    ("frechet_gaussian", "Fréchet distance, Gaussian", "reference classifier", "lower"),
    ("precision_prior", "precision, prior", "fraction of samples", "higher"),
    ("precision_mixture", "precision, mixture", "fraction of samples", "higher"),
    ("precision_gaussian", "precision, Gaussian", "fraction of samples", "higher"),
    ("recall_prior", "recall, prior", "fraction of test images", "higher"),
    ("recall_mixture", "recall, mixture", "fraction of test images", "higher"),
    ("recall_gaussian", "recall, Gaussian", "fraction of test images", "higher"),
    ("label_agreement", "samples of the label asked for", "fraction", "higher"),
    ("few_labels_100_spreading_error", "error with 100 labels, label spreading", "fraction of images", "lower"),
    ("few_labels_100_error", "error with 100 labels, logistic regression", "fraction of images", "lower"),
    ("perturbed_code_label_changes", "labels changed by a perturbed code", "fraction of images", "lower"),
    ("completeness", "completeness", "fraction of samples", "higher"),
    ("completeness_mixture", "completeness, mixture", "fraction of samples", "higher"),
    ("dead_unit_share", "dead units", "fraction of units", "lower"),
    ("psnr_mean", "mean PSNR", "dB", "higher"),
    ("ssim", "SSIM", "", "higher"),
    ("variance_explained", "variance explained", "fraction", "higher"),
    ("marginal_kl", "KL of the aggregate posterior", "nats", None),
    ("mse_train", "MSE on training images", "per pixel", "lower"),
    ("mse_quantized", "MSE at 8 bits per latent", "per pixel", "lower"),
)

# one metric for each corruption, number of labels, transformation of the test images, or way to read a code
FAMILIES: tuple[tuple[str, Better], ...] = (
    (r"test/few_labels_\d+(_spreading)?_error(_grey)?", "lower"),
    (r"test/mse_(gaussian|masking|salt_and_pepper)_.+", "lower"),
    (r"test/(psnr_mean|psnr_of_mean|ssim)(_(gaussian|masking|salt_and_pepper)_.+)?", "higher"),
    (r"test/auroc_.+", "higher"),
    (r"test/((linear_probe|knn)_error|mse)_(grey|trained_k)", "lower"),
    (r"test/kmeans_(nmi|ari)_grey", "higher"),
)

COSTS = {
    "train_seconds": Measure("train_seconds", "training", "seconds", None),
    "parameters": Measure("parameters", "parameters", "", None),
}


KNOWN = YARDSTICK | FURTHER | COSTS


def measure(key: str) -> Measure:
    """The measure of a metric; an unknown one has its key as label, and no direction."""
    if key in KNOWN:
        return KNOWN[key]
    better = next((direction for pattern, direction in FAMILIES if re.fullmatch(pattern, key)), None)
    return Measure(key, key.removeprefix("test/").replace("_", " "), "", better)


def decimals_for(values: list[float]) -> int:
    """The decimals that show four digits of the largest of these numbers, a few far above the others left aside."""
    sizes = sorted(abs(value) for value in values if value)
    if not sizes:
        return 0
    middle, most, largest = (sizes[quarter * (len(sizes) - 1) // 4] for quarter in (2, 3, 4))
    if largest > FAR_ABOVE * middle:
        largest = most
    return min(max(0, 3 - math.floor(math.log10(largest))), MAX_DECIMALS)


def fixed(value: float | None, decimals: int) -> str:
    """A number with these decimals, for a column of a table; a dash for None."""
    if value is None:
        return "—"
    if abs(value) >= 1e7 or (value and abs(value) < 1e-6 and decimals >= MAX_DECIMALS):
        return f"{value:.3e}".replace("-", MINUS)
    if value and decimals:
        decimals = min(decimals, max(0, MAX_DECIMALS - 1 - math.floor(math.log10(max(abs(value), 1)))))
    return f"{value:,.{decimals}f}".replace("-", MINUS).replace(",", "\u202f")


def with_half(mean: float, half: float) -> str:
    """A mean and the half-width of its interval in a sentence, to two digits of the half-width."""
    if not half or not 1e-4 <= abs(mean) < 1e6 or half < 1e-8:
        return f"{compact(mean)} ± {compact(half)}"
    decimals = max(0, 1 - math.floor(math.log10(half)))
    return f"{fixed(mean, decimals)} ± {fixed(half, decimals)}"


def counted(count: int, what: str) -> str:
    """ "1 seed", "2 seeds"."""
    return f"{count} {what}{'s' * (count != 1)}"


def tick(value: float) -> str:
    """A number at an axis; thousands and millions as k and M."""
    for letter, unit, least in (("M", 1e6, 1e6), ("k", 1e3, 1e4)):
        if least <= abs(value) < 1e4 * unit:
            return f"{compact(value / unit)}{letter}"
    return compact(value)


def compact(value: float) -> str:
    """A number in a sentence, to four digits."""
    return f"{value:.4g}".replace("-", MINUS)
