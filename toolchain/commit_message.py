"""Checks the form of a commit message for the hook: `python toolchain/commit_message.py FILE`."""

import sys
from pathlib import Path

__all__ = ["problems_of_message"]

SUBJECT_CHARACTERS = 72


def problems_of_message(message: str) -> list[str]:
    """Return what is wrong with a message: a long or missing subject, no empty line behind it."""
    # Git takes comments out later; the first line may be one where the message is edited.
    lines = [line.rstrip() for line in message.splitlines() if not line.startswith("#")]
    subject = lines[0] if lines else ""
    problems = []
    if not subject:
        problems.append("the first line is empty; it says what the commit does")
    if len(subject) > SUBJECT_CHARACTERS:
        problems.append(
            f"the subject has {len(subject)} characters, at most {SUBJECT_CHARACTERS} are read in lists; put the why "
            "into the body"
        )
    if subject.endswith("."):
        problems.append("the subject ends with a full stop; it is a title")
    if len(lines) > 1 and lines[1]:
        problems.append("the second line is not empty; git takes it for a part of the subject")
    return problems


if __name__ == "__main__":
    sys.exit("\n".join(problems_of_message(Path(sys.argv[1]).read_text())) or 0)
