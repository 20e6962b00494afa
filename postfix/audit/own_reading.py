"""Read main.cf and master.cf without postconf(1), for a host or a copy where there is no Postfix.

What a parameter is by default comes from `defaults.tsv`, for the parameters that an audit looks at.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

from postfix.audit.lines_of_files import Lines, OwnService
from postfix.effective.captures import HostConfiguration, MasterService
from postfix.list_items import split_list
from postfix.main_cf import parse_main_cf
from postfix.table_values import ALL_TABLES
from postseal_core.errors import ConfigError

__all__ = ["RELEASE_OF_DEFAULTS", "configuration_of_files", "known_defaults"]

RELEASE_OF_DEFAULTS: Final = "3.7"
_CHROOT, _UNPRIVILEGED = 4, 3
_WITH_VALUE: Final = frozenset({"-n", "-t", "-i", "-c"})


@cache
def known_defaults() -> dict[str, str]:
    """Return defaults by parameter; the table is read once."""
    text = files("postfix.audit").joinpath("defaults.tsv").read_text(encoding="utf-8")
    rows = (line.partition("\t") for line in text.splitlines() if not line.startswith("#"))
    return {name: value for name, _, value in rows}


def configuration_of_files(main_cf: str, master_cf: str, root: str) -> HostConfiguration:
    """Return what both files say, as `postfix.effective.captures.configuration_of` does of postconf(1)."""
    lines = Lines(root, main_cf, master_cf)
    try:
        parse_main_cf(main_cf)
    except ConfigError as error:
        return HostConfiguration(cannot_tell=f"fatal: {'; '.join(map(str, error.problems))}")
    written = {each.name: each.value for each in lines.definitions if each.name != "config_directory"}
    if not lines.services:
        return HostConfiguration(written=written, cannot_tell="master.cf has no service, or is not there")
    keys = [each.key for each in lines.services]
    return HostConfiguration(
        parameters={**known_defaults(), **written, "config_directory": root},
        written=written,
        services=tuple(_service(each, is_alone=keys.count(each.key) == 1) for each in lines.services),
        map_types=ALL_TABLES,
    )


def _service(each: OwnService, *, is_alone: bool) -> MasterService:
    command, *arguments = [word.replace("\0", ",") for word in split_list(each.command.replace(",", "\0"))]
    options = dict(_options(arguments))
    return MasterService(
        name=each.fields[0],
        type=each.fields[1],
        command=command,
        options={name: value for name, value in options.items() if name},
        is_chrooted=each.fields[_CHROOT] == "y",
        is_privileged=each.fields[_UNPRIVILEGED] == "n",
        is_readable=is_alone and "" not in options,
    )


def _options(arguments: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the parameters of a command's options; an empty name where one cannot be read."""
    words = iter(arguments)
    for word in words:
        if word.startswith("-o"):
            text = word[2:] or next(words, "")
            is_braced = text.startswith("{") and text.endswith("}")
            name, sign, value = (text[1:-1] if is_braced else text).partition("=")
            yield (name.strip(), value.strip()) if sign else ("", "")
        elif word in _WITH_VALUE:
            next(words, "")
