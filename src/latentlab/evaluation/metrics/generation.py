"""What a model makes up, as a classifier of the real images sees it."""

from collections.abc import Iterator, Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.evaluation.metrics.frechet import frechet_distance
from latentlab.evaluation.metrics.samplers import Sampler, generate
from latentlab.evaluation.reference_classifier import Judge, Verdict
from latentlab.models.base import Autoencoder


def generation(
    model: Autoencoder,
    sources: Mapping[str, Sampler],
    judge: Judge,
    train: Float[Tensor, "n c h w"],
    test: Float[Tensor, "m c h w"],
    test_labels: Int[Tensor, " m"],
    seed: int = 0,
) -> Iterator[tuple[str, float]]:
    """As many samples of each source as there are test images, whose grey levels `train` and `test` hold:

    frechet_SOURCE: distance of the samples to the test images in the judge's features (`frechet_distance`).
    frechet_train: that of as many training images: what perfect samples would have.
    judge_error: share of the test images that the judge itself gives another label than theirs.
    sure_SOURCE, sure_test: share of images whose label the judge is at least 95 % sure of.
    label_entropy_SOURCE: of the judged labels, in nats; log C where all C classes come alike.
    label_agreement: share of samples that the judge gives the label they were asked for; conditional models only.
    """
    real = judge(test)
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[: len(test)]
    yield "frechet_train", frechet_distance(judge(train[order.to(train.device)]).features, real.features)
    yield "judge_error", 1 - agreement(real, test_labels)
    yield "sure_test", real.sure_share
    for name, draw in sources.items():
        z, y = draw(len(test), torch.Generator().manual_seed(seed))
        made = judge(generate(model, z, y))
        yield f"frechet_{name}", frechet_distance(made.features, real.features)
        yield f"sure_{name}", made.sure_share
        yield f"label_entropy_{name}", label_entropy(made)
        if model.conditional and name == "prior":
            yield "label_agreement", agreement(made, y)


def label_entropy(verdict: Verdict) -> float:
    """Entropy of the judged labels' frequencies, in nats."""
    share = torch.bincount(verdict.labels).double() / len(verdict.labels)
    return float(torch.special.entr(share).sum())


def agreement(verdict: Verdict, y: Int[Tensor, " n"]) -> float:
    """Share of images that were given the label `y`."""
    return float((verdict.labels == y.to(verdict.labels.device)).double().mean())
