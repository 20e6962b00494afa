"""What changes alike is told once, with how many it is about."""

from hypothesis import given
from hypothesis import strategies as st

from postseal_core.folding import folded


def test_one_is_named_and_several_are_counted_first() -> None:
    """A preview cuts long lines, and never their beginning."""
    assert folded({"b": "renewed", "a": "renewed", "c": "gone"}) == {"renewed": "2 in all: a, b", "gone": "c"}


@given(st.dictionaries(st.text("abc", min_size=1), st.sampled_from(["x", "y", "z"])))
def test_nobody_is_lost(sentences: dict[str, str]) -> None:
    """Each name stands behind its sentence, in the order of names."""
    told = folded(sentences)
    assert {*told} == {*sentences.values()}
    for sentence, names in told.items():
        who = sorted(name for name, said in sentences.items() if said == sentence)
        assert names.rpartition(": ")[2].split(", ") == who
