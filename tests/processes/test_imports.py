"""Slow imports are not interrupted by searches for garbage, which afterwards leave out what was imported."""

import gc

import pytest

from latentlab.processes.imports import import_quickly


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, text: str) -> str:
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write


def test_garbage_is_searched_for_after_the_import_alone(module):
    import_quickly(module("imported_quickly", "import gc; assert not gc.isenabled()"))
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_an_import_that_fails_leaves_the_search_on(module):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            import_quickly(module("not_importable", "1 / 0"))
        assert gc.isenabled()
