"""A classifier trained once on the data set's own images, for metrics of generated images."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from latentlab.data.images import Images
from latentlab.data.loader import to_floats
from latentlab.evaluation import trained_once
from latentlab.evaluation.outliers import outliers, softened
from latentlab.evaluation.trained_once import digest
from latentlab.evaluation.waiting import reported
from latentlab.functional.schedules import OneCycleRate

NAME = "reference classifier"
CODE = (__file__, str(Path(__file__).with_name("outliers.py")))
STEPS = 1_000
BATCH = 256
PEAK_RATE = 4e-3
MAX_SHIFT = 2  # pixels
FEATURES = 128
OUTLIER_WEIGHT = 0.5  # of the loss on outliers
CONFIDENT = 0.95
IMAGES_AT_ONCE = 100  # a layer's output for them fits the cache


@final
class Predictions(NamedTuple):
    """What the classifier predicts for N images.

    labels: the most probable, (N,). confidence: their probability, (N,). features: the last layer's input, (N, F).
    """

    labels: Int[Tensor, " n"]
    confidence: Float[Tensor, " n"]
    features: Float[Tensor, "n f"]

    @property
    def confident_fraction(self) -> float:
        """Fraction of images with a label of at least 95 % probability."""
        return float((self.confidence >= CONFIDENT).double().mean())

    @property
    def confident_features(self) -> Float[Tensor, "m f"]:
        """The features of these images."""
        return self.features[self.confidence >= CONFIDENT]


@final
class ReferenceClassifier(nn.Module):
    """A small convolutional network: three convolutions, `FEATURES` features, and a linear map to the classes."""

    def __init__(self, image_shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = image_shape
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels, 32, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.BatchNorm2d(32),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.BatchNorm2d(64),
            nn.Conv2d(64, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.BatchNorm2d(64),
        )
        pixels = -(-height // 4) * -(-width // 4)
        self.embed = nn.Sequential(nn.Linear(64 * pixels, FEATURES), nn.ReLU())
        self.classify = nn.Linear(FEATURES, classes)

    def features(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b f"]:
        return self.embed(self.convolutions(x).flatten(1))

    @torch.no_grad()
    def forward(self, x: Float[Tensor, "n c h w"]) -> Predictions:
        """The predictions for images in [0, 1], a hundred at a time; values outside are clamped."""
        features = torch.cat([self.features(chunk.clamp(0, 1)) for chunk in x.split(IMAGES_AT_ONCE)])
        confidence, labels = self.classify(features).softmax(1).max(1)
        return Predictions(labels, confidence, features)


def load_or_train(
    images: Images, classes: int, folder: Path | str, device: torch.device | None = None
) -> ReferenceClassifier:
    """The classifier of these images: loaded from `folder`, or trained and saved in it.

    The name of its file is a hash of the images, their labels and the code that trains it, so that one of another
    version is not used. The classifier is in evaluation mode, on `device`, or on the images' own. Raises as
    `trained_once.load_or_train` does.
    """

    def make() -> ReferenceClassifier:
        classifier = ReferenceClassifier(images.shape, classes)
        return classifier.to(device or images.labels.device).to(memory_format=torch.channels_last)

    file = Path(folder) / f"{digest(images, CODE)}.pt"
    return trained_once.load_or_train(NAME, file, make, lambda classifier: _train(classifier, images))


def _train(classifier: ReferenceClassifier, images: Images) -> None:
    """Adam with a one-cycle rate, on images shifted by up to two pixels, half of them blurred and dimmed.

    A classifier trained on images alone is also confident on noise and on empty images, so outliers are trained to the
    uniform distribution (outlier exposure: Hendrycks et al. 2019). A decoder's images are expected values, blurred and
    grey, which alone must not lower its confidence.
    """
    optimizer = torch.optim.Adam(classifier.parameters(), lr=PEAK_RATE)
    rate = OneCycleRate(warmup=0.3, start=0.04, final=1e-3)
    device = classifier.classify.weight.device
    for step, some in enumerate(reported(_batches(images), STEPS, f"training the {NAME}")):
        batch = some.to(device)
        x = _shifted(to_floats(batch.pixels))
        nonsense = outliers(x, batch.labels)
        x = torch.cat((x[: len(x) // 2], softened(x[len(x) // 2 :])))
        optimizer.param_groups[0]["lr"] = PEAK_RATE * rate(step, STEPS)
        logits = classifier.classify(classifier.features(torch.cat((x, nonsense))))
        to_uniform = -logits[len(x) :].log_softmax(1).mean()  # cross-entropy to the uniform distribution
        loss = F.cross_entropy(logits[: len(x)], batch.labels) + OUTLIER_WEIGHT * to_uniform
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _batches(images: Images) -> Iterator[Images]:
    """`STEPS` batches; each pass over the images has a new order."""
    count, given = len(images.labels), 0
    while True:
        order = torch.randperm(count).to(images.labels.device)
        for rows in order.split(BATCH)[: max(count // BATCH, 1)]:
            if given == STEPS:
                return
            given += 1
            yield images.take(rows)


def _shifted(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """The whole batch shifted by up to two pixels each way, cyclically: the digits' borders are empty."""
    down, right = torch.randint(-MAX_SHIFT, MAX_SHIFT + 1, (2,)).tolist()
    return x.roll((down, right), (-2, -1))
