"""Samples of a model, measured by the reference classifier."""

from collections.abc import Iterator, Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.data.images import Images
from latentlab.data.loader import to_floats
from latentlab.evaluation.metrics.frechet import frechet_distance
from latentlab.evaluation.metrics.precision_recall import precision_and_recall, squared_radii
from latentlab.evaluation.metrics.samplers import Sampler, generate
from latentlab.evaluation.reference_classifier import Predictions, ReferenceClassifier
from latentlab.models.base import Autoencoder

FITTED = "mixture"  # the source that is fitted to the codes; the other one is the variant's own


def generation(
    model: Autoencoder,
    sources: Mapping[str, Sampler],
    classifier: ReferenceClassifier,
    train: Images,
    test: Float[Tensor, "m c h w"],
    test_labels: Int[Tensor, " m"],
) -> Iterator[tuple[str, float]]:
    """From as many samples per source as there are test images, whose grey levels `test` holds:

    frechet_SOURCE: Fréchet distance of the samples to the test images in the reference classifier's features, see
        `frechet_distance`; lower is better, comparable within one data set only.
    precision_SOURCE, recall_SOURCE: in the same features, of the images with a label of at least 95 % probability, see
        `precision_and_recall`; a sample without counts as outside. The features of nonsense are near zero, as are those
        of a few ambiguous test images, whose balls would hold all of it. Higher is better.
    frechet_train, precision_train, recall_train: those of as many training images, the values of samples from the data
        distribution.
    reference_classifier_error: fraction of the test images that the reference classifier itself labels wrongly.
    reference_classifier_confident: fraction of them to which it gives a label of at least 95 % probability.
    completeness, completeness_mixture: fraction of the samples, of the variant's own source and of the mixture, to
        which it does; higher is better.
    label_entropy_SOURCE: entropy of the predicted labels, in nats; log C where all C classes are equally frequent.
    label_agreement: fraction of samples predicted to have the label they were conditioned on; higher is better;
        conditional models only.
    """
    real = classifier(test)
    radii = squared_radii(real.confident_features)
    order = torch.randperm(len(train.labels), generator=torch.Generator().manual_seed(0))[: len(test)]
    drawn = to_floats(train.take(order.to(train.labels.device)).pixels).to(test.device)
    yield from _distances(classifier(drawn), real, radii, "train")
    yield "reference_classifier_error", 1 - agreement(real, test_labels)
    yield "reference_classifier_confident", real.confident_fraction
    for name, draw in sources.items():
        z, y = draw(len(test), torch.Generator().manual_seed(0))
        made = classifier(generate(model, z, y))
        yield from _distances(made, real, radii, name)
        yield f"completeness_{FITTED}" if name == FITTED else "completeness", made.confident_fraction
        yield f"label_entropy_{name}", label_entropy(made)
        if model.conditional and name == "prior":
            yield "label_agreement", agreement(made, y)


def label_entropy(predictions: Predictions) -> float:
    """Entropy of the predicted labels' frequencies, in nats."""
    frequencies = torch.bincount(predictions.labels).double() / len(predictions.labels)
    return float(torch.special.entr(frequencies).sum())


def agreement(predictions: Predictions, y: Int[Tensor, " n"]) -> float:
    """Fraction of images whose predicted label is `y`."""
    return float((predictions.labels == y.to(predictions.labels.device)).double().mean())


def _distances(
    made: Predictions, real: Predictions, radii: Float[Tensor, " m"], name: str
) -> Iterator[tuple[str, float]]:
    yield f"frechet_{name}", frechet_distance(made.features, real.features)
    precision, recall = precision_and_recall(made.confident_features, real.confident_features, radii)
    yield f"precision_{name}", precision * made.confident_fraction
    yield f"recall_{name}", recall
