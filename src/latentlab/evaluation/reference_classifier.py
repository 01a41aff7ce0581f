"""A classifier of the real images, trained here once and kept: what generated images are judged by."""

import hashlib
import logging
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, final

import torch
from filelock import FileLock
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from latentlab.data.images import Images
from latentlab.data.loader import to_floats
from latentlab.functional.schedules import OneCycleRate

log = logging.getLogger(__name__)

STEPS = 1_000
BATCH = 256
PEAK_RATE = 4e-3
MOST_SHIFT = 2  # pixels
FEATURES = 128
DOUBT = 0.5  # weight of the loss on nonsense
SURE = 0.95
IMAGES_AT_ONCE = 100  # what a layer makes of them stays in the cache


class Verdict(NamedTuple):
    """What the judge says of N images.

    labels: the likeliest, (N,). confidence: their probability, (N,). features: the last layer's input, (N, F).
    """

    labels: Int[Tensor, " n"]
    confidence: Float[Tensor, " n"]
    features: Float[Tensor, "n f"]

    @property
    def sure_share(self) -> float:
        """Share of images with a label of at least 95 % probability."""
        return float((self.confidence >= SURE).double().mean())


@final
class Judge(nn.Module):
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
    def forward(self, x: Float[Tensor, "n c h w"]) -> Verdict:
        """The verdict on images in [0, 1], a hundred at a time; values outside are clamped."""
        features = torch.cat([self.features(part.clamp(0, 1)) for part in x.split(IMAGES_AT_ONCE)])
        confidence, labels = self.classify(features).softmax(1).max(1)
        return Verdict(labels, confidence, features)


def judge_of(images: Images, classes: int, folder: Path | str) -> Judge:
    """The judge trained on these images, from `folder` where it is already kept there, else trained and kept.

    Its file is named by a hash of the images, their labels and this source. One process trains, others wait. A
    damaged file is told and replaced. The judge is in evaluation mode, on the images' device.
    """
    file = Path(folder) / f"{_hash(images)}.pt"
    file.parent.mkdir(parents=True, exist_ok=True)
    channels, height, width = images.pixels.shape[1:]
    with FileLock(file.with_suffix(".lock")), torch.random.fork_rng():
        torch.manual_seed(0)
        judge = Judge((channels, height, width), classes).to(images.pixels.device).to(memory_format=torch.channels_last)
        weights = _kept(file)
        if weights is not None:
            judge.load_state_dict(weights)
        else:
            log.info("training the judge of generated images once; it is kept in %s", file)
            _train(judge, images)
            draft = file.with_suffix(".draft")
            torch.save(judge.state_dict(), draft)
            draft.replace(file)
    return judge.eval().requires_grad_(False)


def _kept(file: Path) -> dict[str, Tensor] | None:
    if not file.is_file():
        return None
    try:
        weights: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        log.warning("%s is damaged (%s): the judge is trained anew", file, type(error).__name__)
        return None
    return weights


def _hash(images: Images) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for part in images:
        digest.update(str(tuple(part.shape)).encode())
        digest.update(part.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


@torch.enable_grad()
def _train(judge: Judge, images: Images) -> None:
    """Adam with a one-cycle rate, on images shifted by up to two pixels, half of them softened.

    A classifier alone is sure of noise as well; so it is held to doubt nonsense (Hendrycks et al. 2019). A decoder's
    images are expected ones, soft and grey: that alone shall not make it doubt.
    """
    optimizer = torch.optim.Adam(judge.train().parameters(), lr=PEAK_RATE)
    rate = OneCycleRate(warmup=0.3, start=0.04, final=1e-3)
    for step, part in enumerate(_batches(images)):
        x = _shifted(to_floats(part.pixels))
        nonsense = _softened(_nonsense(x, part.labels))
        x = torch.cat((x[: len(x) // 2], _softened(x[len(x) // 2 :])))
        optimizer.param_groups[0]["lr"] = PEAK_RATE * rate(step, STEPS)
        logits = judge.classify(judge.features(torch.cat((x, nonsense))))
        doubt = -logits[len(x) :].log_softmax(1).mean()  # cross-entropy to the uniform distribution
        loss = F.cross_entropy(logits[: len(x)], part.labels) + DOUBT * doubt
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _batches(images: Images) -> Iterator[Images]:
    """As many as there are steps, each pass over the images in another order."""
    count, given = len(images.labels), 0
    while True:
        order = torch.randperm(count).to(images.labels.device)
        for rows in order.split(BATCH)[: max(count // BATCH, 1)]:
            if given == STEPS:
                return
            given += 1
            yield images.take(rows)


def _shifted(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """The whole batch moved by up to two pixels each way, over the rim: digits leave it empty."""
    down, right = torch.randint(-MOST_SHIFT, MOST_SHIFT + 1, (2,)).tolist()
    return x.roll((down, right), (-2, -1))


def _softened(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Each image as blurred and as faint as chance wants it."""
    blur, light = torch.rand(2, len(x), 1, 1, 1, device=x.device)
    return (0.5 + 0.5 * light) * torch.lerp(x, F.avg_pool2d(x, 3, stride=1, padding=1), blur)


def _nonsense(x: Float[Tensor, "b c h w"], y: Int[Tensor, " b"]) -> Float[Tensor, "m c h w"]:
    """What decoders make of codes that mean nothing: two classes over each other, quarters of four images, noise."""
    part = len(x) // 8
    one, other = x[:part], x[part : 2 * part]
    share = torch.empty(part, 1, 1, 1, device=x.device).uniform_(0.35, 0.65)
    apart = y[:part] != y[part : 2 * part]
    blends = ((share * one + (1 - share) * other) / torch.maximum(share, 1 - share)).clamp(0, 1)[apart]
    height, width = x.shape[2] // 2, x.shape[3] // 2
    quarters = x[2 * part : 3 * part].clone()
    quarters[..., :height, width:] = x[3 * part : 4 * part, :, :height, width:]
    quarters[..., height:, :width] = x[4 * part : 5 * part, :, height:, :width]
    quarters[..., height:, width:] = x[5 * part : 6 * part, :, height:, width:]
    return torch.cat((blends, quarters, torch.rand_like(x[: part // 4])))
