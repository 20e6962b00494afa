"""No reader stumbles over what it once stumbled over, nor over some hundred inputs that are changed at random.

`make fuzz` does the same for as long as one likes.
"""

import random

import pytest

from postseal_core.errors import PostsealError
from tests.fuzz import readers
from tests.fuzz.mutations import mutated
from tests.fuzz.readers import CORPORA, READERS, corpus_of, judge

ROUNDS = 150


def test_every_corpus_has_a_reader_and_every_reader_a_corpus() -> None:
    """So that nothing that was found is left aside."""
    assert sorted(path.name for path in CORPORA.iterdir()) == sorted(READERS)


@pytest.mark.parametrize("name", READERS)
def test_a_reader_takes_what_it_once_stumbled_over(name: str) -> None:
    """Each stored input is read, or refused with an error of our own that says no more than it may."""
    corpus = corpus_of(name)
    assert corpus
    assert [finding for data in corpus if (finding := judge(name, data))] == []


@pytest.mark.parametrize("name", READERS)
def test_a_reader_takes_whatever_comes(name: str) -> None:
    """The same inputs in each run: what fails here fails everywhere."""
    corpus, chance = corpus_of(name), random.Random(name)
    for _ in range(ROUNDS):
        data = mutated(corpus, chance)
        assert judge(name, data) is None, data[:2000]


def test_a_reader_that_stumbles_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: foreign exceptions, and messages that quote what they should not."""

    def stumble(data: bytes) -> None:
        data.decode("ascii")
        raise PostsealError(f"got {data.decode()}")

    monkeypatch.setattr(readers, "READERS", {"stumbling": readers.Reader(stumble, quotes_nothing=True)})
    assert "UnicodeDecodeError" in str(judge("stumbling", b"\xff"))
    assert "quotes" in str(judge("stumbling", b"x" * 64))
    assert judge("stumbling", b"short") is None
