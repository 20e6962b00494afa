"""In which environment Pulumi runs, and where it keeps its things."""

from pathlib import Path

import pytest

from toolchain.bootstrap import shell_exports
from toolchain.environment import engine_environment, left_behind
from toolchain.layout import locate

ROOT = Path(__file__).parents[2]
BASE = {"HOME": "/home/alice", "PATH": "/usr/bin:/bin"}


def test_backend_and_passphrase_lie_in_the_checkout() -> None:
    """Nothing of the user's own Pulumi, login or stacks is touched."""
    environment = engine_environment(ROOT, BASE)
    assert environment["PULUMI_BACKEND_URL"] == f"{(ROOT / '.pulumi').as_uri()}?metadata=skip"
    assert environment["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(ROOT / ".pulumi/passphrase")
    assert environment["PULUMI_HOME"].startswith("/home/alice/.cache/postseal/home/")


def test_a_state_directory_moves_backend_and_passphrase() -> None:
    """Tests and second stacks keep apart from the checkout's own state."""
    environment = engine_environment(ROOT, {**BASE, "POSTSEAL_STATE_DIR": "/var/lib/stacks"})
    assert environment["PULUMI_BACKEND_URL"] == "file:///var/lib/stacks?metadata=skip"
    assert environment["PULUMI_CONFIG_PASSPHRASE_FILE"] == "/var/lib/stacks/passphrase"


def test_a_relative_state_directory_is_below_the_checkout() -> None:
    """The engine's working directory does not decide where state goes."""
    environment = engine_environment(ROOT, {**BASE, "POSTSEAL_STATE_DIR": "elsewhere"})
    assert environment["PULUMI_BACKEND_URL"] == f"{(ROOT / 'elsewhere').as_uri()}?metadata=skip"


@pytest.mark.parametrize(
    "name",
    ["PULUMI_BACKEND_URL", "PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_SKIP_UPDATE_CHECK"],
)
def test_what_the_user_has_set_is_left_alone(name: str) -> None:
    """An account, a bucket or a passphrase of one's own needs nothing but its variable."""
    assert engine_environment(ROOT, {**BASE, name: "mine"})[name] == "mine"


def test_a_second_checkout_in_one_shell_has_a_state_of_its_own(tmp_path: Path) -> None:
    """The first one's is not what the user has set; what the user has set stays through both."""
    first = engine_environment(tmp_path, {**BASE, "PULUMI_SKIP_UPDATE_CHECK": "mine"})
    second = engine_environment(ROOT, first)
    assert left_behind(ROOT, first)["PULUMI_BACKEND_URL"] == first["PULUMI_BACKEND_URL"]
    for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_HOME", "POSTSEAL_CHECKOUT"):
        assert second[name] == engine_environment(ROOT, BASE)[name] != first[name]
    assert second["PULUMI_SKIP_UPDATE_CHECK"] == "mine"
    bucket = engine_environment(ROOT, {**first, "PULUMI_BACKEND_URL": "s3://bucket"})
    assert bucket["PULUMI_BACKEND_URL"] == "s3://bucket"


def test_the_same_checkout_leaves_nothing_behind(tmp_path: Path) -> None:
    """Nor does a shell without any, or a state that both share."""
    first = engine_environment(ROOT, BASE)
    assert left_behind(ROOT, first) == left_behind(ROOT, BASE) == {}
    shared = {**BASE, "POSTSEAL_STATE_DIR": "/var/lib/stacks"}
    again = engine_environment(ROOT, engine_environment(tmp_path, shared))
    assert again["PULUMI_BACKEND_URL"] == "file:///var/lib/stacks?metadata=skip"


def test_a_passphrase_of_the_users_own_needs_no_file() -> None:
    """The file would not exist: it is made only where it is meant."""
    environment = engine_environment(ROOT, {**BASE, "PULUMI_CONFIG_PASSPHRASE": "correct horse"})
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environment


def test_programs_come_from_the_virtual_environment_then_the_engine_then_the_user() -> None:
    """The language host takes python3 from PATH; the user's own uv is preferred to the private one."""
    path = engine_environment(ROOT, BASE)["PATH"].split(":")
    layout = locate(ROOT, BASE)
    assert path == [str(ROOT / ".venv/bin"), str(layout.engine_bin), "/usr/bin", "/bin", str(layout.uv / "bin")]


def test_no_plugin_is_on_the_path() -> None:
    """The engine warns at every command about a plugin that it finds on PATH."""
    assert str(locate(ROOT, BASE).engine / "plugin") not in engine_environment(ROOT, BASE)["PATH"]


@pytest.mark.parametrize(
    ("variables", "cache"),
    [
        ({}, "/home/alice/.cache/postseal"),
        ({"XDG_CACHE_HOME": "/scratch"}, "/scratch/postseal"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/alice/.cache/postseal"),
        ({"XDG_CACHE_HOME": ""}, "/home/alice/.cache/postseal"),
    ],
)
def test_the_cache_lies_where_the_xdg_specification_has_it(variables: dict[str, str], cache: str) -> None:
    """A relative XDG_CACHE_HOME is ignored, as the specification asks."""
    assert locate(ROOT, {**BASE, **variables}).cache == Path(cache)


def test_shell_commands_hold_what_is_new_and_nothing_else() -> None:
    """A passphrase that the user has in the environment is not printed."""
    base = {"PULUMI_CONFIG_PASSPHRASE": "correct horse", "PATH": "/bin"}
    assert shell_exports(base, {**base, "PATH": "/a b:/bin", "X": "y"}) == "export PATH='/a b:/bin'\nexport X=y"
