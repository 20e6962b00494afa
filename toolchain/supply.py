"""Says what this project is made of and what is known against it: licences, an SBOM, published advisories.

    python -m toolchain.supply licences   writes docs/licences.md
    python -m toolchain.supply sbom       writes dist/postseal.cdx.json (CycloneDX)
    python -m toolchain.supply audit      asks the OSV database about every package of uv.lock

All start from uv.lock. Only `audit` needs a network.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchain.console import say
from toolchain.errors import ToolchainError
from toolchain.layout import locate
from toolchain.licences import licence_page
from toolchain.virtualenv import ensure_uv, without_other_environments

__all__ = ["audit", "main", "write_sbom"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/licences.md"
SBOM = ROOT / "dist/postseal.cdx.json"

FOUND, FAILED = 1, 2
"""Exit codes of `uv audit`: something is known against a package; the question could not be asked."""


def main(arguments: Sequence[str]) -> None:
    """Do what is named; without exactly one known name, say which there are.

    Raises:
        ToolchainError: it cannot be done, or something is known against a package.
    """
    match arguments:
        case ["licences"]:
            PAGE.write_text(licence_page(ROOT / "uv.lock"))
        case ["sbom"]:
            write_sbom(SBOM, os.environ)
        case ["audit"]:
            audit(os.environ)
        case _:
            raise ToolchainError("expected one of: licences, sbom, audit")


def write_sbom(path: Path, environment: Mapping[str, str]) -> None:
    """Write what the wheel brings with it at run time as CycloneDX 1.5; the same lock file gives the same bytes.

    Raises:
        ToolchainError: `uv export` failed; its message stands above.
    """
    options = ["--format", "cyclonedx1.5", "--locked", "--offline", "--no-dev", "--preview-features", "sbom-export"]
    done = _run_uv(["export", "--quiet", *options], environment, stdout=subprocess.PIPE)
    if done.returncode != 0:
        raise ToolchainError("`uv export` failed; its message stands above")
    document = json.loads(done.stdout)
    # Both are optional, and differ from run to run.
    document.pop("serialNumber", None)
    document["metadata"].pop("timestamp", None)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")
    say(f"{path}: {len(document['components'])} packages")


def audit(environment: Mapping[str, str]) -> None:
    """Ask the OSV database (https://osv.dev) about every package of uv.lock, those for development included.

    `POSTSEAL_ADVISORIES_URL` names another service with the same interface.

    Raises:
        ToolchainError: something is known against a package (uv has said what), or the database cannot be asked.
    """
    other = environment.get("POSTSEAL_ADVISORIES_URL")
    service = ["--service-url", other] if other else []
    done = _run_uv(["audit", "--locked", "--preview-features", "audit-command", *service], environment)
    if done.returncode == FOUND:
        raise ToolchainError("something is known against a package; it stands above, with the version that mends it")
    if done.returncode != 0:
        raise ToolchainError(
            "NOT CHECKED: the database of advisories could not be asked (its message stands above). Let this machine "
            "reach https://api.osv.dev, or name a mirror in POSTSEAL_ADVISORIES_URL. Nothing is known of any package"
        )


def _run_uv(
    arguments: Sequence[str], environment: Mapping[str, str], *, stdout: int | None = None
) -> subprocess.CompletedProcess[bytes]:
    uv = ensure_uv(locate(ROOT, environment), environment)
    variables = without_other_environments(environment)
    return subprocess.run(
        [uv, *arguments], cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=stdout, check=False
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ToolchainError as failure:
        sys.exit(f"\n{failure}")
