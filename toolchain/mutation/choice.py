"""Which tests are to notice a mutant: those that ran its line, the ones that cover least first."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Coverage", "importers_of", "statement_lines"]

CAP_SECONDS = 60.0
"""How long the tests of one mutant ran without it, at most; those that cover most are left out."""


ABOUT_ALL = (
    "tests/unit/test_records.py::",
    "tests/components/test_public_",
    "tests/components/test_resource_classes.py::",
)
"""Beginnings of the names of tests that look at every module, most of them without running a line of it."""

ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "postseal_core/plugin/protocol.py": ("tests/plugin/test_plugin_start.py::",),
    "postseal_core/plugin/server.py": ("tests/plugin/test_plugin_server.py::", "tests/plugin/test_plugin_start.py::"),
}
"""Beginnings of the names of tests that run a module in a process of its own, where nobody measures."""


@dataclass(frozen=True)
class Coverage:
    """The lines that each test ran.

    `tests_of`: by path and line, the tests that ran it. `seconds`: how long each test took. `importers`: by path, the
    modules and files of tests that import it.
    """

    tests_of: Mapping[str, Mapping[int, frozenset[str]]]
    seconds: Mapping[str, float]
    importers: Mapping[str, frozenset[str]]

    def tests_for(self, path: str, lines: Iterable[int], cap: float = CAP_SECONDS) -> list[str]:
        """Return the tests for a statement, those that ran the fewest lines first.

        A statement that runs at import is that of all tests that ran something of the module; where it has nothing
        else, of those that ran something of the modules that import it, and so on. Before them come tests that look at
        every module, and those of files that import this one: a constant is read without running a line.
        """
        of_module = self.tests_of.get(path, {})
        found = frozenset[str]().union(*(of_module.get(line, frozenset()) for line in lines))
        elsewhere = self._beginning(ELSEWHERE.get(path, ()))
        if found:
            return list(dict.fromkeys([*self._within(cap, found), *elsewhere]))
        others = self._within(cap, self._of_modules(frozenset({path})))
        readers = tuple(f"{importer}::" for importer in self.importers.get(path, ()) if importer.startswith("tests/"))
        near = self._within(cap, self._beginning((*ABOUT_ALL, *readers)))
        return list(dict.fromkeys([*near, *others, *elsewhere]))

    def _beginning(self, names: tuple[str, ...]) -> list[str]:
        return sorted(test for test in self.seconds if test.startswith(names))

    def _of_modules(self, paths: frozenset[str]) -> frozenset[str]:
        seen = frozenset[str]()
        while paths:
            found = frozenset(
                test for path in paths for tests in self.tests_of.get(path, {}).values() for test in tests
            )
            if found:
                return found
            seen |= paths
            paths = frozenset[str]().union(*(self.importers.get(path, frozenset()) for path in paths)) - seen
        return frozenset()

    def _within(self, cap: float, tests: Iterable[str]) -> list[str]:
        chosen: list[str] = []
        total = 0.0
        for test in sorted(tests, key=lambda test: (self._breadth[test], test)):
            total += self.seconds.get(test, 0.0)
            if total > cap and chosen:
                break
            chosen.append(test)
        return chosen

    @cached_property
    def _breadth(self) -> Counter[str]:
        return Counter(test for lines in self.tests_of.values() for tests in lines.values() for test in tests)


def statement_lines(source: str) -> Mapping[int, range]:
    """Return for each line the lines of the statement it belongs to; of a compound statement those before its body.

    A trace names some lines of a statement that has several, and not always the one that differs.
    """
    found: dict[int, range] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if isinstance(body, list) else node.end_lineno or node.lineno
            first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
            lines = range(first, max(first, last) + 1)
            found.update(dict.fromkeys(lines, lines))
    return found


def importers_of(sources: Mapping[str, str]) -> Mapping[str, frozenset[str]]:
    """Return for each path those of the other sources that import it."""
    found: dict[str, set[str]] = {path: set() for path in sources}
    for importer, source in sources.items():
        for name in _imported(ast.parse(source)):
            path = name.replace(".", "/")
            for candidate in (f"{path}.py", f"{path}/__init__.py"):
                if candidate in found and candidate != importer:
                    found[candidate].add(importer)
    return {path: frozenset(importers) for path, importers in found.items()}


def _imported(tree: ast.Module) -> Iterator[str]:
    """Yield the names of all imported modules, and of names imported from them, which may be modules too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
