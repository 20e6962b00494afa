"""How many examples Hypothesis tries: what a test says is for a whole run, and a short one takes its share of it."""

from typing import Any, Final

from hypothesis import settings

__all__ = ["WHOLE", "examples"]

WHOLE: Final = 50
"""Examples of a test that says nothing, in `make test`; the profile `few` has less (tests/conftest.py)."""


def examples(whole: int, **more: Any) -> settings:
    """Return the settings of a test that needs `whole` examples; `more` are further arguments of Hypothesis's."""
    return settings(max_examples=max(1, whole * settings().max_examples // WHOLE), **more)
