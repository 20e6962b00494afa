"""What a developer may ask the benchmarks for."""

from pathlib import Path

import pytest

from benchmarks.options import Options, parse_options, plan_runs

CASES = ("singles", "hosts", "rosters")
FULL = {10: 3, 100: 1}


def test_without_options_all_cases_are_measured_in_full_beside_their_peers() -> None:
    """This is what `make bench` does."""
    assert parse_options([], CASES) == Options(cases=CASES)


def test_every_option_is_understood(tmp_path: Path) -> None:
    """Cases keep their own order, sizes are sorted, and a checkout becomes absolute."""
    plugin = tmp_path / ".venv/bin/pulumi-resource-postseal"
    plugin.parent.mkdir(parents=True)
    plugin.touch()
    arguments = ["--only", "hosts", "--only", "singles", "--quick", "--runs", "5", "--sizes", "100,10,100"]
    arguments += ["--against", f"{tmp_path}/x/..", "--output", "figures.json"]
    (tmp_path / "x").mkdir()
    assert parse_options(arguments, CASES) == Options(
        cases=("singles", "hosts"),
        is_quick=True,
        runs=5,
        sizes=(10, 100),
        against=tmp_path.resolve(),
        output=Path("figures.json"),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--only", "postfix"], id="an unknown case"),
        pytest.param(["--runs", "0"], id="no runs"),
        pytest.param(["--runs", "-1"], id="less than no runs"),
        pytest.param(["--runs", "many"], id="runs without a number"),
        pytest.param(["--sizes", ""], id="no sizes"),
        pytest.param(["--sizes", "10,,100"], id="an empty size"),
        pytest.param(["--sizes", "10,0"], id="a size of nothing"),
    ],
)
def test_an_option_that_cannot_be_used_ends_the_command(arguments: list[str]) -> None:
    """Nothing is measured by mistake."""
    with pytest.raises(SystemExit):
        parse_options(arguments, CASES)


def test_a_checkout_without_a_plugin_is_refused_with_the_command_that_makes_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise the engine would look elsewhere, and the same packages would be compared with themselves."""
    with pytest.raises(SystemExit):
        parse_options(["--against", str(tmp_path)], CASES)
    assert "python3 toolchain/bootstrap.py uv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "runs_by_size"),
    [
        pytest.param(Options(CASES), {10: 3, 100: 1}, id="as the case has it"),
        pytest.param(Options(CASES, runs=5), {10: 5, 100: 5}, id="so many runs"),
        pytest.param(Options(CASES, sizes=(10,)), {10: 3}, id="some sizes"),
        pytest.param(Options(CASES, sizes=(30,)), {30: 1}, id="a size that the case does not have"),
        pytest.param(Options(CASES, sizes=(10, 30), runs=2), {10: 2, 30: 2}, id="both"),
    ],
)
def test_runs_and_sizes_replace_those_of_a_case(options: Options, runs_by_size: dict[int, int]) -> None:
    """What is not asked for stays as the case has it."""
    assert plan_runs(options, FULL) == runs_by_size
