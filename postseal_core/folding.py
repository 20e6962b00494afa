"""Fold what changes alike into one line of a preview: the sentence once, with how many it is about and who; pure."""

from collections import defaultdict
from collections.abc import Mapping

__all__ = ["folded"]


def folded(sentences: Mapping[str, str]) -> dict[str, str]:
    """Return names by sentence, from sentences by name; the number comes first, as a preview cuts long lines."""
    names = defaultdict(list)
    for name, sentence in sorted(sentences.items()):
        names[sentence].append(name)
    return {sentence: f"{len(who)} in all: {', '.join(who)}" if who[1:] else who[0] for sentence, who in names.items()}
