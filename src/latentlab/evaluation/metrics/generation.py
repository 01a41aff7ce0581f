"""Samples of a model, and real images beside them, measured by the reference classifier."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, final

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


@final
class RealImages(NamedTuple):
    """What the reference classifier makes of the test images, and the radii of the balls around the confident ones."""

    predictions: Predictions
    radii: Float[Tensor, " m"]

    @classmethod
    def of(cls, classifier: ReferenceClassifier, x: Float[Tensor, "n c h w"]) -> "RealImages":
        predictions = classifier(x)
        return cls(predictions, squared_radii(predictions.confident_features))


def reference_values(
    classifier: ReferenceClassifier, real: RealImages, train: Images, test_labels: Int[Tensor, " n"]
) -> Iterator[tuple[str, float]]:
    """What samples are compared with, the same for all models of a data set:

    frechet_train, precision_train, recall_train: those of as many training images, the values of samples from the data
        distribution; see `generation`.
    reference_classifier_error: fraction of the test images that the reference classifier itself labels wrongly.
    reference_classifier_confident: fraction of them to which it gives a label of at least 95 % probability.
    """
    predicted = real.predictions
    order = torch.randperm(len(train.labels), generator=torch.Generator().manual_seed(0))[: len(test_labels)]
    drawn = to_floats(train.take(order.to(train.labels.device)).pixels).to(predicted.labels.device)
    yield from _distances(classifier(drawn), real, "train")
    yield "reference_classifier_error", 1 - agreement(predicted, test_labels)
    yield "reference_classifier_confident", predicted.confident_fraction


def generation(
    model: Autoencoder, sources: Mapping[str, Sampler], classifier: ReferenceClassifier, real: RealImages
) -> Iterator[tuple[str, float]]:
    """From as many samples per source as there are test images:

    frechet_SOURCE: Fréchet distance of the samples to the test images in the reference classifier's features, see
        `frechet_distance`; lower is better, comparable within one data set only.
    precision_SOURCE, recall_SOURCE: in the same features, of the images with a label of at least 95 % probability, see
        `precision_and_recall`; a sample without counts as outside. The features of nonsense are near zero, as are those
        of a few ambiguous test images, whose balls would hold all of it. Higher is better.
    completeness, completeness_mixture: fraction of the samples, of the variant's own source and of the mixture, to
        which the classifier gives a label of at least 95 % probability; higher is better.
    label_entropy_SOURCE: entropy of the predicted labels, in nats; log C where all C classes are equally frequent; not
        of conditional models, which are asked for all labels equally often.
    label_agreement: fraction of samples predicted to have the label they were conditioned on; higher is better;
        conditional models only.
    """
    for name, draw in sources.items():
        z, y = draw(len(real.predictions.labels), torch.Generator().manual_seed(0))
        made = classifier(generate(model, z, y))
        yield from _distances(made, real, name)
        yield f"completeness_{FITTED}" if name == FITTED else "completeness", made.confident_fraction
        if not model.conditional:
            yield f"label_entropy_{name}", label_entropy(made)
        elif name == "prior":
            yield "label_agreement", agreement(made, y)


def label_entropy(predictions: Predictions) -> float:
    """Entropy of the predicted labels' frequencies, in nats."""
    frequencies = torch.bincount(predictions.labels).double() / len(predictions.labels)
    return float(torch.special.entr(frequencies).sum())


def agreement(predictions: Predictions, y: Int[Tensor, " n"]) -> float:
    """Fraction of images whose predicted label is `y`."""
    return float((predictions.labels == y.to(predictions.labels.device)).double().mean())


def _distances(made: Predictions, real: RealImages, name: str) -> Iterator[tuple[str, float]]:
    known, radii = real
    yield f"frechet_{name}", frechet_distance(made.features, known.features)
    precision, recall = precision_and_recall(made.confident_features, known.confident_features, radii)
    yield f"precision_{name}", precision * made.confident_fraction
    yield f"recall_{name}", recall
