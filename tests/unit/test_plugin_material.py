"""Key material in memory: found by its reference, never shown."""

import hashlib

import pytest

from postseal_core.errors import PostsealError
from postseal_core.plugin.material import MaterialStore

PEM = "-----BEGIN PRIVATE KEY-----\nhush-hush\n-----END PRIVATE KEY-----\n"


def test_a_text_comes_back_under_its_digest() -> None:
    """The reference is the SHA-256 of the text, so the same text has the same reference in every run."""
    store = MaterialStore()
    reference = store.put(PEM)
    assert reference == f"sha256:{hashlib.sha256(PEM.encode()).hexdigest()}"
    assert store.get(reference) == PEM
    assert MaterialStore().put(PEM) == reference


def test_a_text_may_be_kept_under_a_reference_of_the_callers() -> None:
    """A chain is kept under its issuer's name; what is kept again replaces what was there."""
    store = MaterialStore()
    store.keep("chain of mail-ca generation 1", "old")
    store.keep("chain of mail-ca generation 1", PEM)
    assert store.get("chain of mail-ca generation 1") == PEM
    assert "chain of mail-ca generation 1" in store
    assert "chain of mail-ca generation 2" not in store


def test_neither_repr_nor_str_show_the_content() -> None:
    """A store that ends up in a message or a log says how much it holds and nothing else."""
    store = MaterialStore()
    store.put(PEM)
    assert repr(store) == str(store) == "MaterialStore(1 texts)"


def test_an_unknown_reference_is_one_clean_sentence() -> None:
    """The message says what to do, shows no more than the start of the reference, and nothing of what is held."""
    store = MaterialStore()
    store.put(PEM)
    reference = f"sha256:{'0' * 64}"
    with pytest.raises(PostsealError, match="was not handed in during this run; run `pulumi up` again") as caught:
        store.get(reference)
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)
    assert f"the content {reference[:40]} was" in str(caught.value)
