"""The page in a real browser: its filter, the parallel axes, folded columns and pictures by epoch."""

from pathlib import Path

import pytest

from latentlab.report.write import write_report
from tests.report.browser import CHROMIUM, Browser
from tests.report.run_folders import beta_sweep, search_sweep, wide_sweep

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

BOX = "document.querySelector('input[data-filters=groups-table]')"
SAID = "document.querySelector('output[data-counts=groups-table]').textContent"
BETA = "rect.brush[data-key='model.beta']"
MARKED = "document.querySelectorAll('rect.marked').length"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    return write_report(wide_sweep(tmp_path_factory.mktemp("sweep")))


@pytest.fixture(scope="module")
def searched(tmp_path_factory) -> Path:
    return write_report(search_sweep(tmp_path_factory.mktemp("search")))


@pytest.fixture(scope="module", params=[(1280, 900), (400, 844)], ids=["desk", "phone"])
def opened(request):
    browser = Browser(*request.param)
    yield browser
    browser.close()


@pytest.fixture
def browser(opened, page):
    opened.open(page, "#")
    yield opened
    assert opened.console_messages == []
    assert opened.requests == [page.resolve().as_uri()]


def shown(browser, table="groups-table"):
    return browser.run(f"[...document.querySelectorAll('#{table} tbody tr')].filter(row => !row.hidden).length")


def strands(browser):
    visible = "strand => getComputedStyle(strand).visibility === 'visible'"
    return browser.run(f"[...document.querySelector('.wide').querySelectorAll('.strand')].filter({visible}).length")


def typed(browser, text):
    """Type the text into the filter as a keyboard does; returns the message beside it."""
    browser.run(f"{BOX}.focus(); {BOX}.select()")
    browser.call("Input.insertText", text=text)
    return browser.run(SAID)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said", "runs"),
    [
        ("model.beta=0.5", "4 of 8", 8),
        ("beta=2 latent_dim=8", "2 of 8", 4),
        ("BETA=0.5,2 activation=ReLU", "4 of 8", 8),
        ("beta=5e-1", "4 of 8", 8),  # as a number
        ("latent_dim=9..", "4 of 8", 8),
        ("beta=0.4..0.6 relu", "2 of 8", 4),
        ("seed=1", "8 of 8", 8),  # each group has such a run
        ("mse=0.03..0.042", "2 of 8", 4),  # of the groups their means, 0.0305 and 0.0405
        ("widths=[16]", "8 of 8", 16),  # of all runs
        ("widths=[32,32]", "0 of 8", 0),
        ("status=failed", "0 of 8", 0),
        ("beta=", "8 of 8", 16),  # not finished
        ("betta=1 beta=2", "4 of 8; no key betta", 8),
        ("_target_=x", "8 of 8; no key _target_", 16),
    ],
)
def test_the_filter_shows_the_runs_and_groups_with_these_values(browser, text, said, runs):
    assert typed(browser, text) == said
    assert shown(browser, "runs-table") == runs
    assert strands(browser) == shown(browser) == shown(browser, "differences-table")


def test_a_part_of_a_key_that_two_keys_have_is_not_taken(opened, tmp_path):
    opened.open(write_report(search_sweep(tmp_path)))
    assert typed(opened, "mse=0..1") == "20 of 20; mse: test/mse or val/mse?"
    assert typed(opened, "val/mse=0..0.5").startswith("6 of 20")
    assert shown(opened, "trials-table") == 6


def test_the_address_holds_the_filter(browser, page):
    typed(browser, "beta=2 activation=relu")
    assert browser.run("location.hash") == "#filter=beta%3D2+activation%3Drelu"
    browser.run("document.querySelector('nav a[href=\"#runs\"]').click()")
    browser.run("new Promise(done => setTimeout(done, 100))")
    assert browser.run("location.hash") == "#filter=beta%3D2+activation%3Drelu"
    browser.open(page, "#filter=beta%3D0.5+activation%3Drelu")
    assert browser.run(f"{BOX}.value") == "beta=0.5 activation=relu"
    assert shown(browser) == 2
    typed(browser, "")
    assert (browser.run("location.hash"), browser.run(SAID)) == ("", "")


def test_a_word_of_a_run_shows_its_group(opened, tmp_path):
    opened.open(write_report(beta_sweep(tmp_path)))
    assert typed(opened, "0.0202") == "1 of 3"  # the error of one seed
    assert shown(opened, "runs-table") == 1
    assert opened.run("document.querySelectorAll('#glance-table thead th.number:not([hidden])').length") == 1


def test_the_filter_hides_columns_and_pictures_of_the_first_screen(opened, tmp_path):
    opened.open(write_report(beta_sweep(tmp_path)))
    note = "document.querySelector('#glance [data-when-filtered]').hidden"
    assert opened.run(note)
    visible = "[...document.querySelectorAll('{}')].filter(part => part.offsetParent).length"
    parts = ("#glance-table thead th.number", "#glance-table tbody tr:first-child td", "#glance figure")
    assert [opened.run(visible.format(part)) for part in parts] == [3, 4, 6]
    typed(opened, "beta=2")
    assert [opened.run(visible.format(part)) for part in parts] == [1, 2, 2]
    assert not opened.run(note)
    typed(opened, "")
    assert [opened.run(visible.format(part)) for part in parts] == [3, 4, 6]


def test_all_fields_of_the_filter_hold_the_same(browser):
    typed(browser, "beta=2")
    values = browser.run("[...document.querySelectorAll('input[data-filters]')].map(box => box.value)")
    assert values == ["beta=2"] * 3  # beside the groups, the axes and the runs
    assert browser.run("document.querySelectorAll('[aria-live=polite]').length") == 1


@pytest.mark.parametrize(("start", "end", "chosen"), [(0.05, 0.4, "beta=1.43.."), (0.95, 0.6, "beta=..1.07")])
def test_dragging_along_an_axis_filters_and_escape_clears_it(browser, start, end, chosen):
    typed(browser, "relu")
    browser.drag(BETA, start, end)
    assert browser.run(f"{BOX}.value") == f"relu {chosen}"
    assert (shown(browser), strands(browser), shown(browser, "runs-table")) == (2, 2, 4)
    assert browser.run(MARKED) == 1
    browser.press("Escape", 27)
    assert browser.run(f"{BOX}.value") == "relu"
    assert (shown(browser), browser.run(MARKED)) == (4, 0)


def test_names_on_an_axis_are_chosen_by_dragging_and_a_click_clears_them(browser):
    activation = "rect.brush[data-key='net.activation']"
    browser.drag(activation, 0.5, 0.95)
    assert browser.run(f"{BOX}.value") == "activation=relu"
    browser.drag(BETA, 0.02, 0.4)
    assert shown(browser) == 2
    browser.click(activation)
    assert browser.run(f"{BOX}.value") == "beta=1.43.."
    assert shown(browser) == 4


def test_the_axes_of_a_search_filter_its_trials(opened, searched):
    opened.open(searched)
    opened.drag("rect.brush[data-key='val/mse']", 0.5, 0.99)
    value = opened.run("document.querySelector('input[data-filters=trials-table]').value")
    assert value.startswith("val/mse=..")
    assert 0 < shown(opened, "trials-table") == strands(opened) < 14
    assert shown(opened) == shown(opened, "trials-table")
    opened.press("Escape", 27)
    assert shown(opened, "trials-table") == 20


def test_heads_show_that_they_sort(browser):
    arrow = "getComputedStyle(document.querySelector('#groups-table th .sort'), '::after').content"
    assert browser.run(arrow) == '"↕"'
    browser.run("document.querySelector('#groups-table th button').focus()")
    browser.press("Enter", 13)
    assert browser.run(arrow) == '"▲"'
    browser.press("Enter", 13)
    assert browser.run(arrow) == '"▼"'


def test_more_than_eight_columns_of_settings_are_folded_until_a_button_shows_them(browser):
    count = "[...document.querySelectorAll('#{} thead th')].filter(head => head.offsetParent).length"
    folded = browser.run(count.format("groups-table")), browser.run(count.format("runs-table"))
    assert browser.run("document.querySelector('.fold').innerText") == "Show 2 more columns of settings"
    browser.run("document.querySelector('.fold').focus()")
    browser.press("Enter", 13)
    unfolded = browser.run(count.format("groups-table")), browser.run(count.format("runs-table"))
    assert unfolded == (folded[0] + 2, folded[1] + 2)
    assert browser.run("document.querySelector('.fold').ariaExpanded") == "true"
    browser.click(".fold")
    assert browser.run(count.format("groups-table")) == folded[0]
    assert browser.run("document.documentElement.scrollWidth") <= browser.width


def test_a_slider_shows_a_picture_as_it_was_during_training(browser):
    source = "document.querySelector('button.picture img').src"
    last = browser.run(source)
    browser.run("document.querySelector('.epochs input').focus()")
    seen = []
    for _ in range(3):
        browser.press("ArrowLeft", 37)
        seen.append(browser.run("document.querySelector('.epochs output').textContent"))
    assert seen == ["epoch 12", "epoch 2", "epoch 1"]
    assert browser.run(source) != last
    browser.click("button.picture")
    assert browser.run("document.querySelector('#zoom p').textContent").endswith("after epoch 1")
    browser.press("Escape", 27)
    browser.run("document.querySelector('.epochs input').focus()")
    browser.press("End", 35)
    assert browser.run(source) == last


def test_without_its_script_the_page_shows_everything(opened, page):
    opened.call("Emulation.setScriptExecutionDisabled", value=True)
    opened.open(page)
    opened.call("Emulation.setScriptExecutionDisabled", value=False)
    assert opened.run("[...document.querySelectorAll('#groups-table thead th')].every(head => head.offsetParent)")
    assert not opened.run("[...document.querySelectorAll('.fold, .epochs')].some(own => own.offsetParent)")
    assert opened.run("getComputedStyle(document.querySelector('th .sort'), '::after').content") == "none"
