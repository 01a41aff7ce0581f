"""A classifier trained once on the data set's own images, for metrics of generated images."""

import ast
import hashlib
import io
import logging
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import chain
from pathlib import Path
from typing import NamedTuple, final

import torch
from filelock import Timeout
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from latentlab.data.images import Images
from latentlab.data.loader import to_floats
from latentlab.data.one_at_a_time import one_at_a_time
from latentlab.errors import UserError
from latentlab.evaluation.outliers import outliers, softened
from latentlab.evaluation.waiting import reported
from latentlab.functional.schedules import OneCycleRate
from latentlab.runs.files import write_atomically

log = logging.getLogger(__name__)

STEPS = 1_000
BATCH = 256
PEAK_RATE = 4e-3
MAX_SHIFT = 2  # pixels
FEATURES = 128
OUTLIER_WEIGHT = 0.5  # of the loss on outliers
CONFIDENT = 0.95
LOCK_TIMEOUT = 1800.0  # seconds for another process to train it
IMAGES_AT_ONCE = 100  # a layer's output for them fits the cache


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


def load_or_train(images: Images, classes: int, folder: Path | str) -> ReferenceClassifier:
    """The classifier of these images: loaded from `folder`, or trained and saved in it.

    The name of its file is a hash of the images, their labels and the code that trains it, so that one of another
    version is not used. One process trains, others wait. A damaged file is logged and replaced. The classifier is in
    evaluation mode, on the images' device.

    Raises:
        UserError: another process has held its lock for half an hour.
        OSError: the file cannot be written; the error names it.
    """
    file = Path(folder) / f"{_hash(images)}.pt"
    file.parent.mkdir(parents=True, exist_ok=True)
    channels, height, width = images.pixels.shape[1:]
    with _only_process(file.with_suffix(".lock")), torch.random.fork_rng():
        torch.manual_seed(0)
        classifier = ReferenceClassifier((channels, height, width), classes)
        classifier = classifier.to(images.pixels.device).to(memory_format=torch.channels_last)
        loaded = _loaded(classifier, file)
        if loaded is None:
            log.info("training the reference classifier once; it is kept in %s", file)
            _train(classifier, images)
            buffer = io.BytesIO()
            torch.save(classifier.state_dict(), buffer)
            write_atomically(file, buffer.getbuffer())
    return (loaded or classifier).eval().requires_grad_(False)


@contextmanager
def _only_process(lock: Path) -> Iterator[None]:
    try:
        with one_at_a_time(lock, LOCK_TIMEOUT):
            yield
    except Timeout as error:
        raise UserError(
            f"{lock}: another process has been training the reference classifier for {LOCK_TIMEOUT / 60:.0f} minutes; "
            "wait until it ends, or stop it"
        ) from error


def _loaded(classifier: ReferenceClassifier, file: Path) -> ReferenceClassifier | None:
    """A copy of the classifier with the weights in the file; None where it holds none, or cannot be read."""
    if not file.is_file():
        return None
    loaded = deepcopy(classifier)
    try:
        loaded.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    except (RuntimeError, EOFError, OSError, TypeError, AttributeError, pickle.UnpicklingError) as error:
        log.warning("%s is damaged (%s): the reference classifier is trained again", file, type(error).__name__)
        return None
    return loaded


def _hash(images: Images) -> str:
    digest = hashlib.sha256(_code().encode())
    for tensor in images:
        digest.update(str(tuple(tensor.shape)).encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _code() -> str:
    """This file and outliers.py without comments and docstrings, which do not change the weights."""
    trees = [ast.parse(file.read_text()) for file in (Path(__file__), Path(__file__).with_name("outliers.py"))]
    for node in chain.from_iterable(ast.walk(tree) for tree in trees):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            del node.body[0]
    return "".join(ast.dump(tree) for tree in trees)


@torch.enable_grad()
def _train(classifier: ReferenceClassifier, images: Images) -> None:
    """Adam with a one-cycle rate, on images shifted by up to two pixels, half of them blurred and dimmed.

    A classifier trained on images alone is also confident on noise and on empty images, so outliers are trained to the
    uniform distribution (outlier exposure: Hendrycks et al. 2019). A decoder's images are expected values, blurred and
    grey, which alone must not lower its confidence.
    """
    optimizer = torch.optim.Adam(classifier.train().parameters(), lr=PEAK_RATE)
    rate = OneCycleRate(warmup=0.3, start=0.04, final=1e-3)
    for step, batch in enumerate(reported(_batches(images), STEPS, "training the reference classifier")):
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
