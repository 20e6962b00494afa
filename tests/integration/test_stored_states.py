"""The current plugin plans nothing on a stack that an earlier one has stored."""

from pathlib import Path

import pytest

from tests.support.stacks import custom_resources
from tests.support.stored_states import STATES, StoredStack, restore

pytestmark = pytest.mark.needs_engine

STORED = sorted(path for path in STATES.iterdir() if path.is_dir())
TYPES = {
    f"postseal:index:{name}"
    for name in (
        *("Certificate", "ClientCertificate", "ServerCertificate", "ImportedCertificate"),
        *("Pkcs12", "ClientRoster", "RevocationList", "HandOut", "PostfixHost"),
    )
}


@pytest.mark.parametrize("directory", STORED, ids=lambda directory: directory.name)
def test_nothing_is_planned_on_a_stored_stack(directory: Path, tmp_path: Path, engine_home: Path) -> None:
    """Every resource type is in it; as a negative control, one changed name is planned."""
    stored = StoredStack(directory)
    mail = restore(stored, tmp_path, engine_home)
    stored_types = {each["type"] for each in custom_resources(mail.stack.export())}
    assert stored_types >= TYPES
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
