"""What the report's first screen asks of the groups: questions that a metric answers, and pictures.

The metrics are named as in metrics.json and as docs/metrics.md defines them, the pictures as their files.
"""

from dataclasses import dataclass
from typing import final

from latentlab.report.statistics.measures import COSTS, YARDSTICK, Measure


@final
@dataclass(frozen=True)
class Question:
    """text: the question. measure: what answers it.

    metrics: of each run the first that it has is taken, such as the distance of samples of its own prior.
    measurement: of the suite, to which the metrics belong; its name is that of the reason where it does not apply.
    suite: the smallest that measures it; "none" where every run has the metric.
    of_all: whether it is asked only where every group has the metric.
    of_unconditional: whether variants that are given the label are left out, as it answers for them.
    """

    text: str
    measure: Measure
    metrics: tuple[str, ...]
    measurement: str = ""
    suite: str = "none"
    of_all: bool = False
    of_unconditional: bool = False


QUESTIONS = (
    Question("Which reconstructs best?", YARDSTICK["test/mse"], ("test/mse",)),
    Question("Which has the highest ELBO?", YARDSTICK["test/elbo"], ("test/elbo",), of_all=True),
    Question(
        "Which generates best?",
        Measure("test/frechet_prior", "Fréchet distance of samples", "", "lower"),
        ("test/frechet_prior", "test/frechet_gaussian"),
        "generation and completeness",
        "quick",
    ),
    Question(
        "Whose samples are diverse?",
        Measure("test/recall_prior", "recall of the test images", "fraction", "higher"),
        ("test/recall_prior", "test/recall_gaussian"),
        "generation and completeness",
        "quick",
    ),
    Question(
        "Whose code needs few labels?",
        Measure("test/few_labels_100_spreading_error", "error with 100 labels", "fraction", "lower"),
        ("test/few_labels_100_spreading_error",),
        "few labels",
        "full",
    ),
    Question(
        "Whose space is continuous?",
        Measure("test/perturbed_code_label_changes", "labels changed by a perturbed code", "fraction", "lower"),
        ("test/perturbed_code_label_changes",),
        "latent continuity",
        "quick",
        of_unconditional=True,
    ),
    Question(
        "Whose space is complete?",
        Measure("test/completeness", "clear images among samples", "fraction", "higher"),
        ("test/completeness",),
        "generation and completeness",
        "quick",
    ),
    Question(
        "Which denoises best?",
        Measure("test/psnr_mean_gaussian_0.3", "PSNR, Gaussian noise of 0.3", "dB", "higher"),
        ("test/psnr_mean_gaussian_0.3",),
        "robustness",
        "full",
    ),
    Question("How long does it train?", COSTS["train_seconds"], ("train_seconds",)),
    Question("How large is it?", COSTS["parameters"], ("parameters",)),
)

# (heading, pictures: the first that every group has is shown)
PICTURES = (
    ("Reconstructions", ("evaluation_best_to_worst", "reconstructions")),
    ("Samples", ("evaluation_samples_prior", "samples")),
    ("Latent space", ("evaluation_plane", "evaluation_codes", "latent_plane")),
    ("Denoised", ("evaluation_restored",)),
)
