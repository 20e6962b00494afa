"""Write what a large review takes: a state of ten thousand clients without ciphertext, and two stack files.

`.venv/bin/python -m benchmarks.large_review /tmp/large 300`, with so many single clients beside the roster;
docs/performance.md has the command that is measured then.
"""

import copy
import json
import sys
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from postseal.review.stored import without_ciphertext
from tests.support.played_engine import PlayedStack

FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
ROSTER, HOSTS = 10_000, 2


def declared(single_clients: int) -> dict[str, Any]:
    """Return a stack file with a roster, single clients, and hosts that let in all of them."""
    singles = [f"single{number:03}" for number in range(single_clients)]
    users = [f"user{number:05}" for number in range(ROSTER)]
    host = {"relay_clients": singles, "relay_rosters": ["staff"]}
    return {
        "authority": {
            "common_name": "Example Mail CA",
            "path_length": 0,
            "crl": {"lifetime": "120d"},
            "protect": False,
        },
        "lifetime": {"leaf": {"validity": "90d", "renew_fraction": "2/3", "overlap": "14d"}},
        "clients": {name: {"email": f"{name}@example.org"} for name in singles},
        "rosters": {"staff": {"clients": {name: {"email": f"{name}@example.org"} for name in users}}},
        "hosts": {f"mx{number}": {"myhostname": f"mx{number}.example.org", **host} for number in range(1, HOSTS + 1)},
    }


def written(place: Path, sections: dict[str, Any]) -> None:
    """Write a stack file in a project of its own."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "Pulumi.yaml").write_text("name: mail-pki\nruntime: python\n")
    config = {f"mail-pki:{name}": section for name, section in sections.items()}
    (place / "Pulumi.test.yaml").write_text(yaml.safe_dump({"config": config}))


def main(place: Path, single_clients: int) -> None:
    """Bring the stack up in memory; one client leaves the roster and another one comes."""
    before, stack = declared(single_clients), PlayedStack()
    written(place / "before", before)
    with chdir(place):
        stack.up(before, FIRST)
    (place / "state.json").write_text(json.dumps(without_ciphertext(json.loads(json.dumps(stack.export()))), indent=1))
    after = copy.deepcopy(before)
    rows = after["rosters"]["staff"]["clients"]
    del rows["user00003"]
    rows["newone"] = {"email": "newone@example.org"}
    written(place / "after", after)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
