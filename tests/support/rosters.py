"""What tests of rosters look at: packed records, lines of a preview, keys that must not show, who may relay."""

import json
import re
import shutil
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from postseal_core.packing import unpack_lines
from tests.support.postfix_instance import PostfixInstance
from tests.support.smtp_probe import probe
from tests.support.stacks import resource_outputs, revealed
from tests.support.test_authority import Credential

__all__ = ["ROSTER", "admitted", "by_client", "changed_lines", "leaks", "roster_keys", "unpacked"]

ROSTER = "postseal:index:ClientRoster"
Who = TypeVar("Who", bound=Hashable)


def unpacked(packed: str) -> list[dict[str, Any]]:
    """Return packed records as the plain values that stand in the state."""
    return [json.loads(line) for line in unpack_lines(packed)]


def by_client(packed: str) -> dict[str, dict[str, Any]]:
    """Return packed records, of which each client has one, by client."""
    return {record["name"]: record for record in unpacked(packed)}


def roster_keys(roster: Mapping[str, Any]) -> dict[str, str]:
    """Return the key of each client from the outputs of a roster, exported with its secrets."""
    return {name: each["private_key_pem"] for name, each in by_client(revealed(roster["private_keys"])).items()}


def leaks(state: Mapping[str, Any], text: str) -> list[str]:
    """Say whose key, packed or not, stands in a text that may hold no secret; `state` is one with its secrets."""
    secrets = {}
    for name, outputs in resource_outputs(state, ROSTER).items():
        secrets[f"roster {name}"] = revealed(outputs["private_keys"])
        # The first line of a key is the same for all of an algorithm.
        secrets |= {client: key.splitlines()[2] for client, key in roster_keys(outputs).items()}
    return [name for name, secret in secrets.items() if secret in text]


def changed_lines(preview: str) -> dict[str, str]:
    """Return the lines for clients in the diff of a roster, without their quotes."""
    block = re.search(r"~ changes: \{\n(.*?)\n\s*\}", preview, re.DOTALL)
    lines = block.group(1).splitlines() if block else []
    pairs = (line.strip().removeprefix("+").strip().split(":", 1) for line in lines)
    return {name.strip(): sentence.strip().strip('"') for name, sentence in pairs}


def admitted(instance: PostfixInstance, out: Path, people: Mapping[Who, Credential]) -> set[Who]:
    """Bring the table of a running Postfix to what host mx1 below `out` has, and return who may relay."""
    shutil.copy(out / "mx1/postfix/relay_clientcerts", instance.config_directory)
    instance.reload()
    seen = {who: probe(instance.port, client_certificate=each).rcpt for who, each in people.items()}
    assert {reply.code for reply in seen.values() if reply} <= {250, 554}
    return {who for who, reply in seen.items() if reply and reply.code == 250}
