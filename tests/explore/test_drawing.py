"""A drawing and an image file as images of the data's shape."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.explore.drawing import CANVAS, Canvas, UnusableImageError, image_of

MNIST = (1, 28, 28)


def png(size: tuple[int, int], colour: object, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, "PNG")
    return file.getvalue()


def test_a_stroke_is_as_thick_as_asked_and_an_eraser_takes_it_away():
    canvas = Canvas()
    canvas.stroke((0.2, 0.5), (0.8, 0.5), thickness=0.1)
    middle = canvas.ink[:, CANVAS // 2]
    assert middle.sum() == pytest.approx(0.1 * CANVAS, abs=0.5)
    assert middle[CANVAS // 2] == 1
    assert canvas.ink[:, : CANVAS // 10].sum() == 0
    canvas.stroke((0.0, 0.5), (1.0, 0.5), thickness=0.2, erase=True)
    assert canvas.ink.max() < 0.01


def test_up_is_up():
    canvas = Canvas()
    canvas.stroke((0.5, 0.9), (0.5, 0.9), thickness=0.1)
    assert canvas.ink[: CANVAS // 4].sum() == canvas.ink.sum() > 0


@pytest.mark.parametrize("end", [(0.3, 0.35), (0.9, 0.9)])
def test_as_mnist_a_drawing_fills_a_box_of_20_pixels_with_its_centre_of_mass_in_the_middle(end):
    canvas = Canvas()
    canvas.stroke((0.1, 0.1), end, thickness=0.05)
    image = canvas.image(MNIST, as_mnist=True)[0].numpy()
    rows, columns = (np.flatnonzero(image.max(axis) > 0.05) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(20, abs=1)
    mass = image.sum()
    assert (image.sum(1) @ (np.arange(28) + 0.5)) / mass == pytest.approx(14, abs=0.6)
    assert (image.sum(0) @ (np.arange(28) + 0.5)) / mass == pytest.approx(14, abs=0.6)


def test_without_it_a_drawing_stays_where_it_is():
    canvas = Canvas()
    canvas.stroke((0.1, 0.9), (0.1, 0.9), thickness=0.1)
    image = canvas.image((3, 14, 14), as_mnist=False)
    assert image.shape == (3, 14, 14)
    assert image[:, :3, :3].sum() == pytest.approx(float(image.sum()))


def test_an_empty_canvas_is_black():
    assert Canvas().image(MNIST, as_mnist=True).abs().max() == 0


@pytest.mark.parametrize(("shape", "expected"), [((3, 8, 8), [1.0, 0.0, 0.0]), ((1, 8, 12), [0.299])])
def test_a_file_has_the_shape_and_the_channels_of_the_data(shape, expected):
    image = image_of(png((40, 20), (255, 0, 0)), shape)
    assert image.shape == shape
    assert image.mean((1, 2)).tolist() == pytest.approx(expected, abs=0.01)


def test_a_file_is_cropped_in_its_middle():
    wide = Image.new("L", (30, 10))
    wide.paste(255, (10, 0, 20, 10))
    file = io.BytesIO()
    wide.save(file, "PNG")
    torch.testing.assert_close(image_of(file.getvalue(), (1, 10, 10)), torch.ones(1, 10, 10))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no image", "found something else"), (png((8, 8), 0)[:40], "found something else"), (b"", "found something")],
)
def test_another_file_is_refused(content, message):
    with pytest.raises(UnusableImageError, match=message):
        image_of(content, MNIST)


def test_a_file_that_is_damaged_in_its_middle_is_refused():
    noise, file = np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8), io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    start, first, second = file.getvalue().split(b"IDAT", 2)
    with pytest.raises(UnusableImageError, match="found something else"):
        image_of(start + b"IDAT" + first + b"\0\1\2\3" + second, MNIST)


def test_what_is_left_of_an_erased_stroke_is_no_drawing():
    canvas = Canvas()
    canvas.ink[100, 100] = 0.06
    assert not canvas.image(MNIST, as_mnist=True).isnan().any()


def test_a_huge_file_is_refused_before_it_is_decoded():
    with pytest.raises(UnusableImageError, match="expected at most 4,000,000 pixels, found 3000 x 2000"):
        image_of(png((3_000, 2_000), 0, "1"), MNIST)


def test_a_file_is_turned_as_its_camera_says_without_transparency_and_of_16_bits():
    turned, exif, file = Image.new("L", (20, 20)), Image.Exif(), io.BytesIO()
    turned.paste(255, (0, 0, 20, 10))
    exif[0x0112] = 6  # a quarter to the right
    turned.save(file, "PNG", exif=exif)
    torch.testing.assert_close(image_of(file.getvalue(), (1, 2, 2)), torch.tensor([[[0.0, 1.0], [0.0, 1.0]]]))
    assert image_of(png((8, 8), (255, 255, 255, 0), "RGBA"), (3, 8, 8)).max() == 0
    deep = io.BytesIO()
    Image.fromarray(np.full((8, 8), 32768, np.uint16)).save(deep, "PNG")
    assert image_of(deep.getvalue(), (1, 8, 8)).mean() == pytest.approx(0.5, abs=0.01)
