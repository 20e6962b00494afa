"""Names of places are judged by their text: one spelling for each, and none that is the project's own."""

import pytest

from postseal_core.files.place_names import complaint_of_place_name, is_within, plain_place, problems_of_named_files

PROJECT = "/srv/project"


@pytest.mark.parametrize(
    ("place", "plain"),
    [
        ("out", "out"),
        ("./out//mx1/", "out/mx1"),
        ("out/../other", "other"),
        ("..", ".."),
        ("/etc/postfix/", "/etc/postfix"),
        ("//etc/postfix", "/etc/postfix"),
        ("//xen/out/", "/xen/out"),
        ("/srv/project/out", "out"),
        ("/srv/project", "."),
        ("/srv", ".."),
        ("/", "../.."),
        ("/srv/project-2", "/srv/project-2"),
        ("/srv/other", "/srv/other"),
    ],
)
def test_a_place_has_one_spelling(place: str, plain: str) -> None:
    """Within the project and above it relative to it; without knowing where that is, absolute places stay so."""
    assert plain_place(place, PROJECT) == plain
    if place.startswith("/"):
        assert plain_place(place) == "/" + place.strip("/")


@pytest.mark.parametrize(
    ("place", "other", "expected"),
    [
        ("out", "out", True),
        ("out/mx1", "out", True),
        ("out-2", "out", False),
        ("out", "out/mx1", False),
        ("out", ".", True),
        ("/out", ".", False),
        ("/out", "/", True),
        ("out", "/", False),
        ("/out", "out", False),
    ],
)
def test_a_place_lies_within_another_by_its_parts(place: str, other: str, *, expected: bool) -> None:
    """A relative place and an absolute one never do."""
    assert is_within(place, other) is expected


COMPLAINTS = {
    "out": "",
    "out/stacks": "",
    "../out": "",
    "stacks.d": "",
    "..git": " lies in ..git, which is hidden and of others; choose another directory, as out",
    ".git": " lies in .git, which is hidden and of others; choose another directory, as out",
    "out/.pulumi/x": " lies in .pulumi, which is hidden and of others; choose another directory, as out",
    "../x/.config": " lies in .config, which is hidden and of others; choose another directory, as out",
    "b/.b/.a": " lies in .a, which is hidden and of others; choose another directory, as out",
    "/srv/.config/out": "",
    "/srv/.git/out": " lies in .git, which is hidden and of others; choose another directory, as out",
    "/srv/.pulumi": " lies in .pulumi, which is hidden and of others; choose another directory, as out",
    ".": " is the project itself, or holds it; choose a directory in it, as out",
    "..": " is the project itself, or holds it; choose a directory in it, as out",
    "../..": " is the project itself, or holds it; choose a directory in it, as out",
    "/": " is the project itself, or holds it; choose a directory in it, as out",
    "/srv/project": " is the project itself, or holds it; choose a directory in it, as out",
    "/srv": " is the project itself, or holds it; choose a directory in it, as out",
    "/srv/project/.venv": " lies in .venv, which is hidden and of others; choose another directory, as out",
    "stacks": " is where stack files are; choose another directory, as out",
    "stacks/out": " is where stack files are; choose another directory, as out",
    "/srv/project/stacks": " is where stack files are; choose another directory, as out",
    "/srv/stacks": "",
}


@pytest.mark.parametrize("place", COMPLAINTS)
def test_the_project_and_what_is_hidden_in_it_are_no_places_of_files(place: str) -> None:
    """Elsewhere only what others surely keep there is refused."""
    wanted = f"{place!r}{COMPLAINTS[place]}" if COMPLAINTS[place] else None
    assert complaint_of_place_name(place, PROJECT) == wanted


def test_without_a_project_the_root_is_refused_all_the_same() -> None:
    """A program may not know where its project is."""
    assert "is the project itself, or holds it" in (complaint_of_place_name("/") or "")
    assert complaint_of_place_name("/srv/project") is None


def test_names_of_files_are_plain_not_ours_and_stand_there_once() -> None:
    """Each that is not is told with its place in the list; of one that stands there twice the second is."""
    names = ["a", "../b", "a", ".postseal.json", "c/.postseal.json", "d.before-postseal", "e/a", "a"]
    told = {problem.path: problem.message for problem in problems_of_named_files("take_over", names)}
    ours = "is ours: it says what is ours, or keeps what was replaced"
    assert told.pop("take_over[1]")
    assert told == {
        "take_over[2]": "'a' is listed twice; remove it once",
        "take_over[3]": f"'.postseal.json' {ours}",
        "take_over[4]": f"'c/.postseal.json' {ours}",
        "take_over[5]": f"'d.before-postseal' {ours}",
        "take_over[7]": "'a' is listed twice; remove it once",
    }
