"""Pictures of models that are conditioned on the label."""

import torch
from matplotlib.figure import Figure

from latentlab.evaluation.metrics.applicability import NotApplicable
from latentlab.evaluation.metrics.samplers import generate
from latentlab.evaluation.subject import Subject
from latentlab.figures.images import image_grid


def styles(subject: Subject) -> Figure:
    """The code of one test image per label, decoded with every label; each row begins with the image itself."""
    model, batch, z = subject.model, subject.test_batch, subject.test_codes.z
    if not model.conditional:
        raise NotApplicable("it is not conditioned on the label")
    classes = model.num_classes
    rows, names = [], []
    for label in batch.y.unique().tolist():
        row = int((batch.y == label).nonzero()[0])
        images = generate(model, z[row].repeat(classes, 1), torch.arange(classes, device=z.device))
        rows.append(torch.cat((batch.x[row : row + 1], images)))
        names.append(subject.data.class_names[label])
    line = subject.caption(
        f"Each row is one code, of the test image on the left, decoded with each of the {classes} labels in turn."
    )
    return image_grid(torch.cat(rows), classes + 1, "One style, all labels", line, names, "label of the encoded image")
