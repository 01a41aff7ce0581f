import pytest

from latentlab.sweep_end import what_varies


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["model.beta=1,seed=0", "model.beta=2,seed=0"], ["model.beta=1", "model.beta=2"]),
        (["a=1,b=1", "a=1,b=2", "a=2,b=1"], ["a=1,b=1", "a=1,b=2", "a=2,b=1"]),
        (["a=1"], ["a=1"]),
        ([], []),
    ],
)
def test_jobs_are_named_by_what_not_all_share(folders, names):
    assert what_varies(folders) == names
