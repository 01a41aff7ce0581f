import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.errors import ConfigError
from latentlab.sweeps.names import apart_from, by_what_varies, checked_sweep_name, joined


@pytest.mark.parametrize(
    ("jobs", "beside", "names"),
    [
        ([["a=1", "b=1"], ["a=2", "b=1"]], [], ["a=1", "a=2"]),
        ([["a=1", "b=1"], ["a=1", "b=2"], ["a=2", "b=1"]], [], ["a=1,b=1", "a=1,b=2", "a=2,b=1"]),
        ([["a=1", "b=1"]], [], ["a=1,b=1"]),
        ([["a=1", "b=1"]], [["a=2", "b=1"]], ["a=1"]),
        ([["a=1", "lr=1"], ["a=2", "lr=1"]], [["a=1"], ["a=2"]], ["a=1,lr=1", "a=2,lr=1"]),
        ([["a=1"]], [[]], ["a=1"]),  # beside a run of which nothing but its folder is known
        ([[]], [], ["job"]),
    ],
)
def test_jobs_are_named_by_what_not_all_share(jobs, beside, names):
    assert by_what_varies(jobs, beside) == names


@pytest.mark.parametrize(
    ("override", "name"),
    [
        ("model/penalty=l1", "model-penalty=l1"),
        ("net.widths='[512,256]'", "net.widths=[512,256]"),
        ("x=../../etc", "x=..-..-etc"),
        ("x=a b", "x=a-b"),
        ("x=$(rm -rf /)", "x=-(rm--rf-)"),
    ],
)
def test_a_folder_is_called_after_an_override_without_what_a_path_or_a_shell_reads(override, name):
    assert joined([override]) == name


@given(st.lists(st.text()))
def test_no_override_leads_out_of_the_sweeps_folder(overrides):
    name = joined(overrides)
    assert name
    assert "/" not in name
    assert "\\" not in name
    assert "'" not in name
    assert not name.startswith((".", "-"))
    assert len(name) <= 180


def test_a_name_of_another_config_is_made_longer_and_at_last_ends_in_the_hash():
    assert apart_from({"a=1"}, "a=1", ["a=1", "b=2"], "0123456789") == "a=1,b=2"
    assert apart_from({"a=1", "a=1,b=2"}, "a=1", ["a=1", "b=2"], "0123456789") == "a=1_012345"


@pytest.mark.parametrize("name", ["first", "a.b_c-1", "lr=0.1+beta", "2026-11-21_10-00-00_ab12"])
def test_a_sweeps_name(name):
    assert checked_sweep_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "/tmp/x", "a/b", ".hidden", "-m", "a b", "a,b", "a\n", "é" * 3, "x" * 101]
)
def test_a_sweeps_name_leads_nowhere_else(name):
    with pytest.raises(ConfigError, match=r"sweep\.name: expected"):
        checked_sweep_name(name)
