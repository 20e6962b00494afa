"""Groups of modules whose mutants are counted together, and the modules that a change has touched."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

__all__ = ["GROUPS", "PACKAGES", "Group"]

PACKAGES = ("pki", "postfix", "postseal", "postseal_core")
"""The packages that are mutated; tests, toolchain and benchmarks are not."""


@dataclass(frozen=True, slots=True)
class Group:
    """Modules chosen by patterns on their paths from the root of the checkout; `*` matches `/` as well."""

    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()

    def members(self, paths: Iterable[str]) -> list[str]:
        """Return the paths that belong to the group, in order."""
        return sorted(path for path in paths if _matches(path, self.include) and not _matches(path, self.exclude))


def _matches(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


_FILES = ("postseal_core/files/*",)
_HANDLERS = (
    "*/handler.py",
    "postseal_core/plugin/*",
    "pki/key_material.py",
    "pki/certificate/*",
    "pki/roster/archives.py",
    "pki/roster/declaration.py",
    "pki/roster/decisions.py",
    "pki/roster/issuance.py",
    "pki/*/records.py",
)
# What looks at hosts and deploys to them: judged with a real Postfix, which runs of mutants leave out.
_DEPLOYMENT = (
    "postfix/deploy/*",
    *(f"postfix/host_resource/{name}.py" for name in ("destination", "destinations", "inspection")),
    *(f"postfix/host_resource/{name}.py" for name in ("left_files", "plain_directory", "running_postfix")),
)
# What a program declares: it wires and decides nothing.
_PROGRAMS = ("*/components/*", "*/resource.py", "postseal_core/arguments.py", "postseal_core/program.py")

GROUPS: Mapping[str, Group] = {
    "core": Group(("pki/*.py", "postseal_core/*.py"), (*_FILES, *_HANDLERS, *_PROGRAMS)),
    "files": Group(_FILES),
    "handlers": Group(_HANDLERS, _PROGRAMS),
    "postfix": Group(("postfix/*.py",), ("*/handler.py", *_DEPLOYMENT, *_PROGRAMS)),
    "all": Group(tuple(f"{package}/*.py" for package in PACKAGES)),
}
"""Named groups; `all` is every module of the packages."""
