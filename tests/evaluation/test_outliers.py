"""The nonsense that the reference classifier is taught to doubt."""

import torch

from latentlab.evaluation.outliers import FAINT, outliers, softened

X = torch.rand(256, 1, 28, 28, generator=torch.Generator().manual_seed(0)).round()  # black and white
Y = torch.arange(256) % 10


def contrast(x):
    return x.amax((1, 2, 3)) - x.amin((1, 2, 3))


def test_they_are_images():
    found = outliers(X, Y)
    assert found.shape[1:] == X.shape[1:]
    assert found.min() >= 0
    assert found.max() <= 1


def test_some_are_black_some_are_even_and_some_are_faint():
    torch.manual_seed(0)
    found = torch.cat([outliers(X, Y) for _ in range(10)])
    black, even = (found.amax((1, 2, 3)) == 0), contrast(found) < 1e-6
    faint = (contrast(found) <= FAINT + 1e-6) & ~even
    assert black.sum() >= 20
    assert (even & ~black).sum() >= 5
    assert faint.sum() >= 100


def test_some_are_dots_of_up_to_three_pixels_a_side():
    torch.manual_seed(0)
    found = torch.cat([outliers(X, Y)[-16:] for _ in range(10)])
    level = found.flatten(1).median(1).values.view(-1, 1, 1, 1)
    area = (found != level).sum((1, 2, 3))
    assert area.max() <= 2 * 3 * 3
    assert {1, 4, 9} <= set(area.tolist())  # one square; others are two


def test_images_of_eight_pixels_have_dots_of_one():
    found = outliers(X[..., :8, :8], Y)[-16:]
    level = found.flatten(1).median(1).values.view(-1, 1, 1, 1)
    assert (found != level).sum((1, 2, 3)).max() <= 2


def test_softening_keeps_half_of_the_contrast():
    white = torch.ones(50, 1, 8, 8)
    inner = softened(white)[..., 1:-1, 1:-1]
    assert 0.5 <= inner.min() < inner.max() <= 1
