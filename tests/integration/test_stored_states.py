"""The current plugin plans nothing on a stack that an earlier one has stored."""

from pathlib import Path

import pytest

from postseal.provider import REGISTRY
from tests.support.stacks import custom_resources
from tests.support.stored_states import STATES, StoredStack, restore

pytestmark = pytest.mark.needs_engine

STORED = sorted(path for path in STATES.iterdir() if path.is_dir())
# In a stack file every host is a PostfixHost; the other classes have the same handler.
TYPES = {*REGISTRY} - {"postseal:index:MailServer", "postseal:index:RelayClient"}


@pytest.mark.parametrize("directory", STORED, ids=lambda directory: directory.name)
def test_nothing_is_planned_on_a_stored_stack(directory: Path, tmp_path: Path, engine_home: Path) -> None:
    """Every resource type is in it; as a negative control, one changed name is planned."""
    stored = StoredStack(directory)
    mail = restore(stored, tmp_path, engine_home)
    stored_types = {each["type"] for each in custom_resources(mail.stack.export())}
    absent = sorted(TYPES - stored_types)
    assert absent == [], "declare them in tests/support/stored_states.py, then run `make states`"
    mail.stack.preview(expect_no_changes=True).expect_success()

    sections = stored.sections
    sections["clients"]["alice"]["organization"] = "Another"
    mail.declare(sections, clock=stored.clock)
    assert not mail.stack.preview(expect_no_changes=True).is_success


@pytest.mark.parametrize("directory", STORED, ids=lambda directory: directory.name)
def test_a_stored_state_names_no_place_of_the_machine_that_made_it(directory: Path) -> None:
    """The engine notes for each resource where it was declared."""
    stored = (directory / "export.json").read_text()
    assert '"resources"' in stored
    assert [place for place in ("sourcePosition", "stackTrace", "project:///") if place in stored] == []
