"""What a stack file leads to, told from an exported state without its secrets."""

import copy
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from postseal.review.declared import StackSource
from postseal.review.runs import Compared, compare_files
from postseal.review.stack_yaml import read_stack_text
from postseal.review.steps import Operation, Run
from postseal.review.stored import read_stored_stack, without_ciphertext
from postseal_core.errors import ConfigError
from tests.support.stored_states import STATES, StoredStack

pytestmark = pytest.mark.takes_long

STORED = StoredStack(STATES / "1")
EXPORT = json.loads((STATES / "1/export.json").read_text())
NAMES = ("mail-pki", "test")


def source(sections: Mapping[str, Any]) -> StackSource:
    """Return a stack file with these sections, and the stored stack's secret, which nobody opens."""
    config = {f"mail-pki:{name}": section for name, section in sections.items()}
    config["mail-pki:hosted-key"] = {"secure": "v1:bm90IGEgcmVhbCBzZWNyZXQ="}
    return StackSource(read_stack_text(yaml.safe_dump({"config": config}), "stack file"))


def compared(new: Mapping[str, Any], *, days: int = 0, export: object = EXPORT) -> Compared:
    """Compare the stored stack's own file with another one, some days after the state was stored."""
    now: datetime = STORED.clock + timedelta(days=days)
    return compare_files(read_stored_stack(export), source(STORED.sections), source(new), NAMES, now)


def moved(run: Run) -> dict[str, str]:
    """Return what happens to each resource that changes, by its name."""
    return {f"{each.name}": each.operation.value for each in run.steps.values() if each.operation is not Operation.SAME}


def without_bob() -> dict[str, Any]:
    """Return the stored stack's sections without the client bob."""
    sections = copy.deepcopy(STORED.sections)
    del sections["clients"]["bob"]
    sections["hosts"]["mx1"]["relay_clients"].remove("bob")
    return sections


def test_nothing_changes_with_the_stack_file_that_was_applied() -> None:
    """Every resource type is in the stored stack; the engine plans nothing on it either."""
    found = compared(STORED.sections)
    assert not found.new.problems
    assert moved(found.new) == {}
    assert len(found.new.steps) > 30


def test_a_removed_client_is_deleted_with_its_files_and_rows() -> None:
    """Nothing but what is said of it changes, and all of that is due to the new file."""
    found = compared(without_bob())
    assert moved(found.new) == {"bob": "delete", "hand-out": "update", "mx1": "update"}
    assert moved(found.due) == {}


def test_what_the_clock_does_is_told_apart_from_the_change() -> None:
    """After twenty days certificates are renewed under both files."""
    found = compared(without_bob(), days=20)
    assert moved(found.due)["alice"] == "update"
    assert moved(found.due)["bob"] == "update"
    assert moved(found.new)["bob"] == "delete"


def test_a_file_that_holds_a_key_is_the_same_as_long_as_nothing_in_it_changes() -> None:
    """Twenty days later the chain of another authority's certificate on the same host is still as it was."""
    found = compared(STORED.sections, days=20)
    (mx1,) = (each for each in found.new.steps.values() if each.is_host and each.name == "mx1")
    assert mx1.after.content["tls/hosted.pem"] == mx1.before.content["tls/hosted.pem"]
    assert mx1.after.content["tls/mx1.pem"] != mx1.before.content["tls/mx1.pem"]


def test_an_export_without_ciphertext_tells_the_same() -> None:
    """What is handed out for a review need not hold a secret at all."""
    blank = without_ciphertext(EXPORT)
    assert "v1:" in json.dumps(EXPORT)
    assert "v1:" not in json.dumps(blank)
    assert compared(without_bob(), days=20, export=blank) == compared(without_bob(), days=20)


def test_an_export_that_shows_its_secrets_is_refused() -> None:
    """Nobody should have it lying around, a pull request least of all."""
    text = json.dumps(EXPORT).replace('"ciphertext"', '"plaintext"')
    with pytest.raises(ConfigError, match="without --show-secrets"):
        read_stored_stack(json.loads(text))


def test_everything_that_is_refused_is_told_at_once() -> None:
    """A mistake in the file stops all; what only the plugin sees is told of each resource."""
    sections = copy.deepcopy(STORED.sections)
    sections["clients"]["alice"]["emial"] = "alice@example.org"
    assert [each.path for each in compared(sections).new.problems] == ["clients.alice.emial"]

    sections = without_bob()
    del sections["authorities"]["awaited"]
    del sections["clients"]["grace"]
    refused = [each for each in compared(sections).new.steps.values() if each.operation is Operation.REFUSED]
    assert sorted(each.name for each in refused) == ["awaited", "awaited-key"]
    assert {problem.message.split(",")[0] for each in refused for problem in each.problems} == {"is protected"}


def test_nothing_is_asked_of_a_directory_that_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A review looks at no place: what would write or read there is not even made."""

    def looked(*_: object, **__: object) -> None:
        raise AssertionError("a place was looked at")

    monkeypatch.setattr("postfix.host_resource.outside.destination_of", looked)
    monkeypatch.setattr("pki.hand_out.handler.changed_paths", looked)
    monkeypatch.setattr("pki.hand_out.handler.problems_of_directory", looked)
    monkeypatch.setattr("postfix.host_resource.handler.problems_of_directory", looked)
    assert not compared(without_bob(), days=20).new.problems
