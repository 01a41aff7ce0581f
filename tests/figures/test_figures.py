"""Pictures show the given values in the given order, within their canvas."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import cbook
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from latentlab.figures.images import comparison, image_grid
from latentlab.figures.latent_plane import latent_plane, principal_plane
from latentlab.figures.style import TEN_COLOURS, TEN_MARKERS
from latentlab.figures.unit_activity import unit_activity

LONG_LINE = (
    "DenoisingAE on fashion_mnist, seed 0, run model=denoising_ae,seed=0-20261120-120000, best weights. "
    "100 codes from a diagonal Gaussian fitted to 5,000 validation codes (this variant has no prior)."
)


def canvas_of(figure):
    return np.asarray(figure.axes[0].images[0].get_array())


def flat(levels, size=2):
    return torch.tensor(levels).reshape(-1, 1, 1, 1).expand(-1, 1, size, size)


def codes(count=200, units=3, classes=10):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, units, generator=generator), torch.arange(count) % classes


def pictures():
    z, y = codes()
    images = torch.rand(16, 1, 8, 8)
    names = [str(index) for index in range(47)]
    return {
        "grid": image_grid(images, 5, "Samples", LONG_LINE),
        "labelled grid": image_grid(torch.rand(94, 3, 8, 8), 2, "Samples", LONG_LINE, names, "label"),
        "comparison": comparison({"input": images, "output": images}, "Reconstructions", LONG_LINE),
        "plane": latent_plane(z, y, None, "Latent codes", LONG_LINE),
        "many classes": latent_plane(z, torch.arange(200) % 47, None, "Latent codes", LONG_LINE),
        "ridges": latent_plane(z[:, :1], y, None, "Latent codes", LONG_LINE),
        "activity": unit_activity(z.mean(0), z.var(0), z.var(0), "Activity", LONG_LINE),
        "many units": unit_activity(torch.randn(128), torch.rand(128), None, "Activity", LONG_LINE),
    }


def test_grey_levels_are_drawn_unchanged():
    canvas = canvas_of(image_grid(flat([0.2, 0.4]), 2, "t", "s"))
    assert canvas[0, :2].tolist() == [[51] * 3] * 2
    assert canvas[0, 3:].tolist() == [[102] * 3] * 2


def test_values_outside_0_and_1_are_clamped():
    canvas = canvas_of(image_grid(flat([-3.0, 7.0]), 2, "t", "s"))
    assert set(canvas[:, :2].flatten()) == {0}
    assert set(canvas[:, 3:].flatten()) == {255}


def test_colours_are_drawn_unchanged():
    red = torch.tensor([1.0, 0.0, 0.2]).reshape(1, 3, 1, 1).expand(1, 3, 2, 2)
    assert canvas_of(image_grid(red, 1, "t", "s"))[0, 0].tolist() == [255, 0, 51]


def test_a_grid_fills_row_by_row_and_leaves_the_rest_white():
    canvas = canvas_of(image_grid(flat([0.0, 0.2, 0.4]), 2, "t", "s"))
    assert canvas[[0, 0, 3, 3], [0, 3, 0, 3], 0].tolist() == [0, 51, 102, 255]


@pytest.mark.parametrize(("count", "columns"), [(4, 2), (3, 2), (1, 8)])
def test_versions_of_an_image_are_one_below_the_other(count, columns):
    levels = torch.arange(count) / 10
    versions = {"input": flat(levels.tolist()), "output": flat((levels + 0.5).tolist())}
    figure = comparison(versions, "t", "s", columns)
    canvas = canvas_of(figure) / 255
    rows = [round(tick - 0.5) for tick in figure.axes[0].get_yticks()]
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["input", "output"] * (len(rows) // 2)
    for index in range(count):
        block, column = divmod(index, columns)
        shown = canvas[rows[2 * block : 2 * block + 2], 3 * column, 0]
        assert shown == pytest.approx([index / 10, index / 10 + 0.5], abs=0.5 / 255)


def test_points_on_a_line_have_one_principal_component():
    along = torch.linspace(-2, 2, 9, dtype=torch.float64)
    direction = torch.tensor([[0.6, -0.8, 0.0]], dtype=torch.float64)
    points, fractions = principal_plane(along[:, None] * direction + 5)
    assert fractions.tolist() == pytest.approx([1, 0], abs=1e-12)
    # the largest loading, -0.8, is made positive
    assert points[:, 0].tolist() == pytest.approx((-along).tolist())


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), units=st.integers(2, 6), count=st.integers(2, 30))
def test_principal_components_have_the_largest_variances_of_the_covariance(seed, units, count):
    z = torch.randn(count, units, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    points, fractions = principal_plane(z)
    covariance = torch.cov(z.T, correction=0)
    largest = torch.linalg.eigvalsh(covariance).flip(0)[:2].clamp_min(0)
    assert torch.allclose(torch.cov(points.T, correction=0), largest.diag(), atol=1e-8)
    assert torch.allclose(fractions, largest / covariance.trace(), atol=1e-8)


def test_collapsed_codes_are_drawn_with_no_variance_explained():
    z, y = torch.ones(10, 4), torch.arange(10)
    assert principal_plane(z)[1].tolist() == [0, 0]
    assert "0.0 %" in latent_plane(z, y, None, "t", "s").axes[0].get_xlabel()


def test_two_units_are_plotted_unchanged():
    z, _ = codes(units=2)
    axes = latent_plane(z, torch.full((200,), -1), None, "t", "s").axes[0]
    assert np.allclose(np.stack(axes.lines[0].get_data(), 1), z.double().numpy())
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("code unit 0", "code unit 1")
    assert axes.get_legend() is None


def test_principal_components_name_their_fraction_of_the_variance():
    z = torch.tensor([[2.0, 0, 0], [-2, 0, 0], [0, 1, 0], [0, -1, 0]])
    axes = latent_plane(z, torch.arange(4), None, "t", "s").axes[0]
    assert "80.0 %" in axes.get_xlabel()
    assert "20.0 %" in axes.get_ylabel()


def test_ten_classes_have_a_colour_a_marker_and_a_name_each():
    z, y = codes(units=2)
    names = [f"class {index}" for index in range(10)]
    axes = latent_plane(z, y, names, "t", "s").axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == names
    assert [text.get_text() for text in axes.texts] == names
    assert [(line.get_color(), line.get_marker()) for line in axes.lines] == list(
        zip(TEN_COLOURS, TEN_MARKERS, strict=True)
    )
    assert np.allclose(np.stack(axes.lines[3].get_data(), 1), z[y == 3].double().numpy())


def test_a_class_without_codes_has_no_name_in_the_plane():
    z, _ = codes(units=2)
    axes = latent_plane(z, torch.full((200,), 1), ["none", "all"], "t", "s").axes[0]
    assert [text.get_text() for text in axes.texts] == ["all"]


def test_many_classes_have_a_colour_bar_with_all_their_names():
    z, _ = codes(units=2)
    names = [f"c{index}" for index in range(47)]
    plane, bar = latent_plane(z, torch.arange(200) % 47, names, "t", "s").axes
    assert [text.get_text() for text in bar.get_yticklabels()] == names
    assert len({tuple(colour) for colour in plane.collections[0].to_rgba(range(47))}) == 47


def test_one_unit_is_drawn_as_one_histogram_per_label():
    z = torch.tensor([0.0, 0, 0, 1, 1, 1])[:, None]
    axes = latent_plane(z, torch.tensor([0, 0, 0, 1, 1, 1]), None, "t", "s").axes[0]
    first, _, second, _ = (patch.get_data() for patch in axes.patches)
    assert [first.values.argmax(), second.values.argmax()] == [0, 79]
    assert (first.baseline, second.baseline) == (0, -1)
    # one scale: equal densities are equally high
    assert first.values.max() - first.baseline == pytest.approx(second.values.max() - second.baseline)


def test_units_are_sorted_by_kl_in_all_panels():
    mean, variance = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0.001, 2.0, 1.0])
    panels = unit_activity(mean, variance, torch.tensor([0.5, 1.5, 4.0]), "t", "s").axes
    assert [text.get_text() for text in panels[2].get_xticklabels()] == ["2", "1", "0"]
    assert panels[0].lines[1].get_ydata() == pytest.approx([0.3, 0.2, 0.1])
    assert panels[1].lines[0].get_ydata() == pytest.approx([1.0, 2.0, 0.001])
    assert [bar.get_height() for bar in panels[2].patches] == [4.0, 1.5, 0.5]
    assert panels[1].get_title(loc="right").startswith("2 of 3 units above 0.01")
    assert panels[2].get_title(loc="right") == "6.0 nats in total"


def test_without_a_posterior_units_are_sorted_by_variance_and_constant_ones_counted():
    panels = unit_activity(torch.zeros(3), torch.tensor([1.0, 0.0, 2.0]), None, "t", "s").axes
    assert len(panels) == 2
    assert [text.get_text() for text in panels[1].get_xticklabels()] == ["2", "0", "1"]
    assert panels[1].get_title(loc="right") == "1 of 3 units constant"


@pytest.mark.parametrize("name", pictures())
def test_all_text_is_inside_the_picture_and_axes_below_the_header(name):
    figure = pictures()[name]
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = canvas.get_width_height()
    boxes = [text.get_window_extent() for text in figure.texts]
    boxes += [axes.get_tightbbox() for axes in figure.axes]
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes)
    header = min(text.get_window_extent().y0 for text in figure.texts)
    assert max(axes.get_tightbbox().y1 for axes in figure.axes) <= header


def test_pictures_do_not_register_figures_in_pyplot():
    pictures()
    assert plt.get_fignums() == []


# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB
SIGHT = {
    "trichromat": np.eye(3),
    "protanope": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranope": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def lab(colour, sight):
    """CIELAB (D65) of a colour as it is perceived."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(SIGHT[sight] @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    f = [np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz / np.array([0.9505, 1, 1.089])]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHT)
def test_ten_colours_are_distinguishable_also_with_colour_blindness(sight):
    distances = [np.linalg.norm(lab(a, sight) - lab(b, sight)) for a, b in combinations(TEN_COLOURS, 2)]
    assert min(distances) > 15  # 2.3 is just noticeable


@pytest.mark.parametrize("name", ["$0-$10", r"$\frac{x$", "a$_$b"])
def test_dollar_signs_in_names_are_letters_and_no_formula(name):
    x = torch.zeros(2, 1, 8, 8)
    for figure in (
        image_grid(x, 1, name, name, [name, "second"]),
        latent_plane(torch.randn(20, 2), torch.arange(20) % 2, [name, "second"], name, name),
    ):
        FigureCanvasAgg(figure).draw()
        texts = [text for text in figure.findobj(Text) if name in text.get_text().replace(r"\$", "$")]
        assert len(texts) >= 3
        assert not any(cbook.is_math_text(text.get_text()) for text in texts)
