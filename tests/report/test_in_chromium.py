"""The page in a real browser: it sorts, filters and zooms, and requests nothing."""

from pathlib import Path

import pytest

from latentlab.report.write import write_report
from tests.report.browser import CHROMIUM, Browser
from tests.report.run_folders import beta_sweep, search_sweep

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

FIRST_COLUMN = "[...document.querySelectorAll('#groups-table tbody tr')].map(r => r.cells[0].textContent.trim())"
SHOWN = "[...document.querySelectorAll('#runs-table tbody tr')].filter(r => r.offsetParent).length"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    return write_report(beta_sweep(tmp_path_factory.mktemp("sweep"), (0.5, 1.0, 2.0, 10.0), (0, 1, 2)))


@pytest.fixture(scope="module")
def searched(tmp_path_factory) -> Path:
    return write_report(search_sweep(tmp_path_factory.mktemp("search"), objectives=("val/mse", "parameters")))


@pytest.fixture(scope="module", params=[(1280, 900), (390, 844)], ids=["desk", "phone"])
def browser(request, page):
    opened = Browser(*request.param)
    opened.open(page)
    yield opened
    opened.close()


def test_a_click_on_a_head_sorts_by_number_and_a_second_one_reverses_the_order(browser):
    browser.click("#groups-table thead th:nth-child(1) button")
    assert browser.run(FIRST_COLUMN) == ["0.5", "1", "2", "10"]
    browser.click("#groups-table thead th:nth-child(1) button")
    assert browser.run(FIRST_COLUMN) == ["10", "2", "1", "0.5"]
    assert browser.run("document.querySelector('#groups-table th').getAttribute('aria-sort')") == "descending"


def test_the_keyboard_sorts_too(browser):
    browser.run("document.querySelector('#groups-table thead th:nth-child(4) button').focus()")  # KL falls with beta
    browser.press("Enter", 13)
    assert browser.run("document.activeElement.closest('th').getAttribute('aria-sort')") == "ascending"


def test_the_filter_keeps_rows_that_contain_every_word(browser):
    assert browser.run(SHOWN) == 12
    browser.run("document.querySelector('input[data-filters=runs-table]').focus()")
    browser.call("Input.insertText", text="beta=10 SEED=2")
    assert browser.run(SHOWN) == 1
    assert browser.run("document.querySelector('output[data-counts=runs-table]').textContent") == "1 of 12"
    browser.run("setFilter('')")


def test_a_picture_opens_enlarged_and_escape_closes_it(browser):
    browser.click("button.picture")
    assert browser.run("document.getElementById('zoom').open")
    first = browser.run("document.querySelector('#zoom p').textContent")
    browser.press("ArrowRight", 39)
    assert browser.run("document.querySelector('#zoom p').textContent") != first
    assert browser.run("document.querySelector('#zoom img').naturalWidth") == 64
    browser.press("Escape", 27)
    assert not browser.run("document.getElementById('zoom').open")
    assert browser.run("document.activeElement.className") == "picture"


def test_the_first_screen_shows_every_answer_without_scrolling_sideways(browser):
    right = "[...document.querySelectorAll('#glance .answer')].map(e => e.getBoundingClientRect().right)"
    found = browser.run(right)
    assert len(found) == 4
    assert max(found) <= browser.width


def test_pictures_of_all_groups_lie_side_by_side_on_a_desk_and_scroll_on_a_phone(browser):
    hidden = "[...document.querySelectorAll('#glance .strip')].map(e => e.scrollWidth - e.clientWidth)"
    found = browser.run(hidden)
    assert len(found) == 2
    assert all(width > 0 if browser.width < 600 else width == 0 for width in found)


def test_the_page_does_not_scroll_horizontally(browser):
    assert browser.run("document.documentElement.scrollWidth") <= browser.width


def test_the_trials_of_a_search_are_sorted_and_its_page_does_not_scroll_horizontally(browser, searched):
    browser.open(searched)
    browser.click("#search summary")
    for _ in range(2):
        browser.click("#trials-table thead th:nth-child(1) button")
    numbers = "[...document.querySelectorAll('#trials-table tbody tr')].map(r => Number(r.cells[0].textContent))"
    assert browser.run(numbers) == [*range(19, -1, -1)]
    assert browser.run("document.documentElement.scrollWidth") <= browser.width
    link = browser.run("document.querySelector('#search .verdict a').href")
    assert link.startswith(searched.parent.resolve().as_uri())
    assert browser.console_messages == []


def test_the_names_in_the_charts_of_a_search_do_not_overlap(browser, searched):
    browser.open(searched)
    texts = """[...document.querySelectorAll('#search .chart:not(.wide)')].map(chart =>
        [...chart.querySelectorAll('text')].map(e => e.getBoundingClientRect()).filter((a, k, all) =>
            all.some((b, j) => j < k && a.left < b.right && b.left < a.right
                && a.top + 3 < b.bottom && b.top + 3 < a.bottom)).length)"""
    assert not any(browser.run(texts))


def test_there_are_no_requests_and_no_messages_in_the_console(browser, page):
    browser.open(page)
    assert browser.requests == [page.resolve().as_uri()]
    assert browser.console_messages == []
