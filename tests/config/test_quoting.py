from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from latentlab.config.quoting import bare, literal

PARSER = OverridesParser.create()


@given(st.text(alphabet="a\\'\"${}[],=: é", max_size=12))
@example("it's 3,4=5")
@example("${oc.env:HOME}")
@example("ends in \\")
def test_a_literal_reads_back_as_its_text(text):
    value = PARSER.parse_override(f"key={literal(text)}").value()
    assert OmegaConf.create({"key": value}).key == text


def test_bare_takes_one_pair_of_quotes_off_and_no_more():
    given_and_bare = {"'a b'": "a b", '"a"': "a", " a ": "a", "'a": "'a", "it's'": "it's'", "''a''": "'a'"}
    assert [bare(text) for text in given_and_bare] == [*given_and_bare.values()]
