"""What `--help` says of every command is what help/ holds, and help/ holds nothing else.

After a change that is meant: `UPDATE_HELP=1 Tests/EndToEnd/run test_cli_help.py`, then read the difference.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

import relay as relays

FOLDER = Path(__file__).parent / "help"
# The parser folds its lines to the terminal.
ENVIRONMENT = os.environ | {"COLUMNS": "80", "LC_ALL": "C.UTF-8"}


def help_of(command: tuple[str, ...]) -> str:
    done = subprocess.run(
        [relays.EXECUTABLE, *command, "--help"], capture_output=True, text=True, timeout=30, env=ENVIRONMENT
    )
    assert done.returncode == 0 and not done.stderr, f"{command}: {done.returncode} {done.stderr}"
    return done.stdout


def subcommands(text: str) -> list[str]:
    _, found, rest = text.partition("\nSUBCOMMANDS:\n")
    return re.findall(r"^  ([a-z][a-z-]*)(?= |$)", rest, re.MULTILINE) if found else []


def every_command() -> dict[tuple[str, ...], str]:
    texts = {}
    waiting = [()]
    while waiting:
        command = waiting.pop()
        texts[command] = help_of(command)
        waiting += [(*command, each) for each in subcommands(texts[command])]
    return texts


def file_of(command: tuple[str, ...]) -> Path:
    return FOLDER / ("-".join(("tongke", *command)) + ".txt")


@pytest.mark.timeout(120)
def test_the_help_of_every_command_is_as_kept():
    texts = every_command()
    # The walk has found the commands of all depths.
    assert {(), ("serve",), ("token", "issue"), ("timetable", "check"), ("lesson", "move")} <= set(texts)
    if os.environ.get("UPDATE_HELP"):
        for old in FOLDER.glob("*.txt"):
            old.unlink()
        FOLDER.mkdir(exist_ok=True)
        for command, text in texts.items():
            file_of(command).write_text(text)
    assert {file_of(command).name for command in texts} == {path.name for path in FOLDER.iterdir()}
    for command, text in texts.items():
        assert text == file_of(command).read_text(), f"tongke {' '.join(command)} --help has changed"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "arguments",
    [
        ["import"],
        ["import", "-", "-"],
        ["import", "x.csv", "--kind", "nothing"],
        ["import", "x.csv", "--school-year", "soon"],
        ["timetable", "free"],
        ["timetable", "free", "--course", "K01", "--lead", "L01-1"],
        ["timetable", "free", "--course", "K01", "--weeks", "1月16日"],
        ["timetable", "week", "--room", "L01-1", "--week", "61"],
        ["timetable", "calendar"],
        ["timetable", "calendar", "--room", "a", "--cluster", "b"],
        ["lesson", "list", "--from", "2026-02-30"],
        ["lesson", "list", "--json", "--csv"],
        ["lesson", "cancel", "nothing", "--reason", "x"],
        ["lesson", "cancel", "00000000-0000-7000-8000-000000000000"],
        ["lesson", "move", "00000000-0000-7000-8000-000000000000", "--reason", "x", "--start", "tomorrow"],
        ["lesson", "call", "nothing", "P01-1"],
        ["lesson", "mute", "00000000-0000-7000-8000-000000000000"],
        ["lesson", "mute", "00000000-0000-7000-8000-000000000000", "P01-1", "--all"],
        ["lesson", "grant", "00000000-0000-7000-8000-000000000000", "P01-1", "smell", "on"],
        ["lesson", "grant", "00000000-0000-7000-8000-000000000000", "P01-1", "video", "maybe"],
        ["receive", "http://127.0.0.1:9/whep", "--pane", "everything"],
        ["report", "coverage", "--from", "2026-12-31", "--to", "2026-09-01"],
        ["report", "teachers", "--from", "2026-09-01", "--to", "2026-12-31", "--csv", "--html"],
        ["resource", "show", "nothing"],
        ["resource", "approve", "00000000-0000-7000-8000-000000000000", "--for", "village"],
    ],
    ids=" ".join,
)
def test_wrong_usage_leaves_with_2(arguments):
    done = relays.run(*arguments)
    assert done.returncode == 2 and done.stderr.strip() and not done.stdout


@pytest.mark.timeout(60)
def test_who_gives_no_code_is_told_so_in_their_language(tmp_path):
    for locale, words in [("zh_CN.UTF-8", "没有读到验证码"), ("en_US.UTF-8", "There was no code")]:
        done = subprocess.run(
            [relays.EXECUTABLE, "login", "http://127.0.0.1:9", "--code"], input="\n", capture_output=True, text=True,
            timeout=30, env={"HOME": str(tmp_path), "LC_ALL": locale, "PATH": os.environ["PATH"]},
        )  # fmt: skip
        assert done.returncode == 1 and words in done.stderr and not done.stdout


@pytest.mark.timeout(60)
def test_who_is_not_logged_in_is_told_in_their_language(tmp_path):
    for locale, word in [("zh_CN.UTF-8", "还没有登录"), ("en_US.UTF-8", "Not logged in")]:
        environment = {"HOME": str(tmp_path), "LC_ALL": locale, "PATH": os.environ["PATH"]}
        done = subprocess.run(
            [relays.EXECUTABLE, "term", "list"], capture_output=True, text=True, timeout=30, env=environment
        )
        assert done.returncode == 1 and word in done.stderr and not done.stdout
