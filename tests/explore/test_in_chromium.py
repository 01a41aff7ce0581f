"""The page of a real server in a real browser: what is under the pointer is what the model decodes."""

import base64
import io
import re
import signal
import time
from collections.abc import Callable
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.explore.drawing import Canvas
from latentlab.explore.pixels import colours
from latentlab.functional.paths import spherical
from latentlab.models.base import Autoencoder
from latentlab.runs import Run
from latentlab.training.restore import load_model, trusted_config
from tests.explore.served import Page, Server, served
from tests.report.browser import CHROMIUM

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")]
TINY = ["data=digits", "data.image_size=8", "trainer=smoke", "logger=none", "callbacks=no_pictures"]
LABEL = 3


class Open(NamedTuple):
    """Several runs on a page: a cvae, which is shown first, and a denoising autoencoder."""

    folders: list[Path]
    model: Autoencoder
    server: Server
    page: Page


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> list[Path]:
    from latentlab.commands.job import job
    from latentlab.config import run_hydra

    base, found = tmp_path_factory.mktemp("runs"), []
    for model in ("cvae", "denoising_ae"):
        folder = base / f"a {model}"
        chosen = [f"model={model}", "model.latent_dim=2", "trainer.max_epochs=2", f"hydra.run.dir='{folder}'"]
        assert run_hydra(job, "train", [*TINY, *chosen]) == 0
        found.append(folder)
    return found


@pytest.fixture(scope="module")
def opened(folders):
    with served(f"runs=[{','.join(map(str, folders))}]") as server:
        page = Page(server.url)
        yield Open(folders, load_model(Run(folders[0]), trusted_config(Run(folders[0]))), server, page)
        page.close()


def decoded(model: Autoencoder, code: list[float], label: int = LABEL) -> np.ndarray:
    """The colours that the page is to show, the top row first."""
    with torch.no_grad():
        image = model.decode(torch.tensor([code]), label).clamp(0, 1)[0]
    return colours(image)[::-1].view(np.uint8).reshape(*image.shape[1:], 4)


def shows(page: Page, name: str, expected: np.ndarray) -> None:
    """Wait until the picture of that name is this one, but for the rounding of a grey level."""
    page.wait(f"Bokeh.documents[0].get_model_by_name('{name}').data.image[0].length === {expected[..., 0].size}")
    eventually(lambda: within(page.image(name), expected, 1))


def within(found: np.ndarray, expected: np.ndarray, levels: int) -> bool:
    """Whether two pictures differ by at most so many levels of grey."""
    return found.shape == expected.shape and bool(np.abs(found.astype(int) - expected).max() <= levels)


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_page_makes_no_request_to_another_host_and_has_no_error(opened):
    assert opened.page.browser.requests
    assert all(url.startswith(opened.server.url) for url in opened.page.browser.requests)
    messages = opened.page.browser.console_messages
    assert [m for m in messages if "exceptionDetails" in m or m.get("level") == "error"] == []


def choose_label(page: Page, label: int) -> None:
    page.set("label", "active", label)
    page.wait(f"Bokeh.documents[0].get_model_by_name('label').active === {label}")


def code_of(page: Page, row: int) -> tuple[float, float]:
    """The code of a test image, read from the page."""
    return page.model("codes", f"data.x[{row}]"), page.model("codes", f"data.y[{row}]")


@pytest.mark.parametrize("row", [3, 11])
def test_the_place_under_the_pointer_is_decoded(opened, row):
    page, place = opened.page, code_of(opened.page, row)
    choose_label(page, LABEL)
    page.point("codes", *place)
    x, y = np.array(page.screen("codes", *place)).round()  # the pointer is on whole pixels
    exact = page.browser.run(
        f"""(() => {{ const v = [...Bokeh.index.query(v => v.model.type == "Figure")]
          .find(v => v.model.renderers.some(r => r.data_source.name == "codes"));
          const b = v.el.getBoundingClientRect();
          return [v.frame.x_scale.invert({x} - b.x), v.frame.y_scale.invert({y} - b.y)]; }})()"""
    )
    page.browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    shows(page, "decoded", decoded(opened.model, exact))


def test_what_is_on_the_screen_is_that_picture(opened, tmp_path):
    page = opened.page
    code = [page.model("pinned", "data.x[0]"), page.model("pinned", "data.y[0]")]
    page.point("current", 0.5, 0.5)
    corners = page.screen("current", 0, 1), page.screen("current", 1, 0)
    page.browser.picture(tmp_path / "screen.png")
    box = tuple(round(value) for corner in corners for value in corner)
    shown = Image.open(tmp_path / "screen.png").convert("RGB").crop(box).resize((8, 8), Image.Resampling.BOX)
    label = page.model("label", "active")
    expected = decoded(opened.model, code, label)[..., :3].astype(int)
    assert np.abs(np.asarray(shown).astype(int) - expected).mean() < 8  # edges of the squares are between two pixels


def test_a_click_pins_the_code_and_a_slider_changes_one_unit(opened):
    page = opened.page
    choose_label(page, LABEL)
    place = code_of(page, 7)
    page.click("codes", *place)
    page.wait(f"Math.abs(Bokeh.documents[0].get_model_by_name('pinned').data.x[0] - {place[0]}) < 0.05")
    x, y = page.model("pinned", "data.x[0]"), page.model("pinned", "data.y[0]")
    page.set("unit 1", "value", y + 0.2)
    shows(page, "current", decoded(opened.model, [x, y + 0.2]))
    shows(page, "before", decoded(opened.model, [x, y]))
    page.wait(f"Math.abs(Bokeh.documents[0].get_model_by_name('pinned').data.y[0] - {y + 0.2}) < 1e-5")


def test_a_label_decodes_the_same_code(opened):
    page = opened.page
    code = [page.model("pinned", "data.x[0]"), page.model("pinned", "data.y[0]")]
    choose_label(page, 8)
    shows(page, "current", decoded(opened.model, code, 8))


def test_the_scrubber_goes_from_one_image_to_another_on_the_path_that_is_chosen(opened):
    page = opened.page
    choose_label(page, LABEL)
    page.set("path", "active", 1)
    page.set("fraction", "value", 0.25)
    one, other = torch.tensor([code_of(page, 0), code_of(page, 1)])
    shows(page, "between", decoded(opened.model, spherical(one, other, torch.tensor([[0.25]]))[0].tolist()))


def test_a_stroke_is_encoded_and_decoded_and_its_code_follows_on_the_plane(opened):
    page, model = opened.page, opened.model
    places = [(0.3, 0.8), (0.3, 0.2), (0.7, 0.2)]
    page.draw("canvas", *places)
    drawn = Canvas()
    for start, end in pairwise(places):
        drawn.stroke(start, end, 0.08)
    ours = colours(drawn.image((1, 8, 8), as_mnist=True))[::-1].view(np.uint8).reshape(8, 8, 4)
    eventually(lambda: within(page.image("seen"), ours, 80))  # the pointer is on whole pixels
    seen = page.image("seen")
    x = torch.from_numpy(seen[..., 0].astype(np.float32) / 255)[None, None]
    with torch.no_grad():
        code = model.encode(x, LABEL).z[0].tolist()
    page.wait(f"Math.abs(Bokeh.documents[0].get_model_by_name('pinned').data.x[0] - {code[0]}) < 0.02")
    eventually(lambda: within(page.image("restored"), decoded(model, code), 4))  # from levels of grey that were rounded


def test_an_image_file_is_resized_and_encoded_and_another_file_is_one_line(opened):
    page, file = opened.page, io.BytesIO()
    Image.new("RGB", (30, 20), (128, 128, 128)).save(file, "PNG")
    page.set("file", "value", base64.b64encode(file.getvalue()).decode())
    page.wait("Bokeh.documents[0].get_model_by_name('seen').data.image[0].every(v => v === 0xff808080)")
    page.set("file", "value", base64.b64encode(b"no image").decode())
    page.wait("Bokeh.documents[0].get_model_by_name('error').text.startsWith('expected an image file')")


def test_a_page_from_elsewhere_may_not_connect(opened):
    connection = HTTPConnection(opened.server.url.removeprefix("http://").strip("/"))
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    connection.request(
        "GET", "/ws", headers={**upgrade, "Sec-WebSocket-Key": "x" * 24, "Origin": "http://elsewhere.example"}
    )
    assert connection.getresponse().status == 403


def test_the_same_image_goes_through_every_run_and_a_click_on_a_mark_chooses_it_in_every_plane(opened):
    page = opened.page
    names = [folder.name for folder in opened.folders]
    first = [page.image(f"seen {name}") for name in names]
    assert np.array_equal(*first)  # the drawing
    page.browser.run(
        "(() => { const s = Bokeh.documents[0].get_model_by_name('codes a denoising_ae');"
        " s.selected.indices = [5]; return 0; })()"
    )
    page.wait("document.body && Bokeh.documents[0].get_model_by_name('label').active !== null")
    for name in names:
        page.wait(
            f"Math.abs(Bokeh.documents[0].get_model_by_name('marked {name}').data.x[0] - "
            f"Bokeh.documents[0].get_model_by_name('codes {name}').data.x[5]) < 1e-4"
        )
    assert np.array_equal(*(page.image(f"seen {name}") for name in names))


def test_another_run_is_a_link_away_and_has_no_labels(opened):
    page = opened.page
    page.follow("nav a:nth-child(2)")
    assert page.browser.run("document.querySelector('nav [aria-current]').textContent") == "DenoisingAE a denoising_ae"
    assert page.browser.run("document.getElementById('the-label')") is None
    model = load_model(Run(opened.folders[1]), trusted_config(Run(opened.folders[1])))
    code = [page.model("pinned", "data.x[0]"), page.model("pinned", "data.y[0]")]
    with torch.no_grad():
        image = model.decode(torch.tensor([code])).clamp(0, 1)[0]
    shows(page, "current", colours(image)[::-1].view(np.uint8).reshape(8, 8, 4))
    page.follow("nav a:nth-child(1)")


def test_two_browsers_do_not_disturb_each_other_and_a_killed_server_says_so(opened):
    page, other = opened.page, Page(opened.server.url, width=400)
    assert other.browser.run("document.documentElement.scrollWidth") <= 400
    before = page.model("pinned", "data.x[0]")
    place = code_of(other, 9)
    other.click("codes", *place)
    other.wait(f"Math.abs(Bokeh.documents[0].get_model_by_name('pinned').data.x[0] - {place[0]}) < 0.1")
    assert page.model("pinned", "data.x[0]") == before
    status, said = opened.server.end(signal.SIGINT)
    assert status == 0
    assert not re.search("GET|Traceback|Starting|WebSocket connection", said)  # of use to nobody here
    text = "[...document.querySelectorAll('*')].map(e => e.shadowRoot?.textContent ?? '').join(' ')"
    other.wait(f"/connection (was )?lost/i.test(document.body.textContent + {text})")
    other.close()
