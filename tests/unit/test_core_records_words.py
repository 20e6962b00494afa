"""Words in a record: any text is read, since whoever uses it says which are right in a sentence of its own."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest

from postseal_core.errors import ConfigError
from postseal_core.records import SECRET, decode, encode, secret_names


@dataclass(frozen=True, slots=True)
class Spoken:
    """A record with a word, and a secret one."""

    level: Literal["may", "encrypt"] = "may"
    hidden: Annotated[Literal["a", "b"], SECRET] = "a"


@pytest.mark.parametrize("word", ["may", "encrypt", "none"])
def test_a_word_is_a_text_on_the_wire(word: str) -> None:
    """It is read and written as it is, whether it is right or not; a default is left out as everywhere."""
    read = decode(Spoken, {"level": word})
    assert read.level == word
    assert encode(read) == ({} if word == "may" else {"level": word})


def test_what_is_no_text_is_refused() -> None:
    """As for any text; and a secret word stays one."""
    with pytest.raises(ConfigError, match=r"^level: got a whole number, expected a text$"):
        decode(Spoken, {"level": 5})
    assert secret_names(Spoken) == {"hidden"}
