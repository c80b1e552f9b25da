"""The golden county from the terminal: its figures, its pages, a correction, and proof that nobody rewrote the ledger."""

import csv
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

import relay as relays

FIXTURE = Path(__file__).parents[1] / "Fixtures/golden-county/ledger.sqlite"
SPAN = ["--from", "2026-09-01", "--to", "2027-01-31", "--scope", "county:某县"]


class County:
    def __init__(self, folder: Path):
        (folder / "data").mkdir(parents=True)
        shutil.copy(FIXTURE, folder / "data/ledger.sqlite")
        self.folder = folder
        # The sample cluster beside it lies in no county.
        self.relay = relays.Relay(folder).start()

    def tongke(self, *arguments, code: int = 0, language: str = "zh_CN.UTF-8") -> str:
        environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "LC_ALL": language}
        environment |= {"TONGKE_URL": self.relay.base, "TONGKE_TOKEN": self.relay.operator}
        command = [relays.EXECUTABLE, "report", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
        assert done.returncode == code, f"{command[1:]}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout + done.stderr

    def plan(self) -> dict[str, int]:
        text = self.tongke("coverage", *SPAN, "--minimum-lessons", "1", "--csv")
        return {row["figure"]: int(row["value"]) for row in csv.DictReader(io.StringIO(text))}


@pytest.fixture
def county(tmp_path):
    each = County(tmp_path)
    yield each
    each.relay.stop()


GOLDEN = {
    "planned": 12, "taught": 7, "cancelled": 1, "notTaught": 4, "withoutReceiver": 1, "notHeld": 3, "classHours": 8,
    "offerings": 2, "clusters": 1, "playbacks": 1, "meetings": 1,
}  # fmt: skip


def test_the_golden_county_is_printed(county):
    plan = county.plan()
    assert {key: plan[key] for key in GOLDEN} == GOLDEN
    text = county.tongke("coverage", *SPAN, "--minimum-lessons", "1")
    assert re.search(r"已覆盖的农村学校 +2 +4 +50\.0 %", text), text
    assert re.search(r"^门次 +2$", text, re.MULTILINE) and re.search(r"^课时 +8$", text, re.MULTILINE), text
    assert "P3" in text and "P4" in text and "计为一门次的最少已授课次: 1" in text
    report = json.loads(county.tongke("coverage", *SPAN, "--minimum-lessons", "1", "--json"))
    never = next(table for table in report["tables"] if table["name"] == "neverReached")
    assert [row[0] for row in never["rows"]] == ["P3", "P4"]
    page = county.tongke("coverage", *SPAN, "--html", language="en_US.UTF-8")
    assert "<svg" in page and "size:A4" in page and "<script" not in page and '<html lang="en">' in page
    for kind in ["attendance", "quality", "screen-time", "teachers", "resources", "spaces", "exceptions", "minors"]:
        assert county.tongke(kind, *SPAN) and county.tongke(kind, *SPAN, "--csv").count("\n") >= 1
    county.tongke("coverage", "--from", "2026-09-01", "--to", "2026-08-01", code=2)
    county.tongke("coverage", "--from", "September", "--to", "2026-08-01", code=2)


def test_a_correction_shows_against_the_snapshot(county):
    county.tongke("snapshot", "keep", "coverage", *SPAN, "--minimum-lessons", "1")
    assert "1" in county.tongke("snapshot", "list", "--csv")
    county.tongke("snapshot", "compare", "1")
    seats = county.tongke("attendance", *SPAN, "--csv")
    lesson = next(
        row["lesson"] for row in csv.DictReader(io.StringIO(seats)) if row["room"] == "P1-1" and row["attended"] == "yes"
    )
    county.tongke("correct", lesson, "--reason", "试讲", "--exclude")
    plan = county.plan()
    assert (plan["taught"], plan["excluded"], plan["planned"]) == (6, 1, 11)
    assert re.search(r"已授课.* 7 +6", county.tongke("snapshot", "compare", "1", code=1))
    # The log itself is as it was.
    done = subprocess.run(
        [relays.EXECUTABLE, "report", "lesson", lesson, "--data", str(county.relay.data), "--json"],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0 and json.loads(done.stdout)["taught"] is True
    county.tongke("correct", lesson, "--reason", "试讲", "--no-exclude")
    county.tongke("snapshot", "compare", "1")
    county.tongke("correct", lesson, "--reason", "试讲", code=2)


def verify(county, heads: Path, code: int) -> dict:
    done = subprocess.run(
        [relays.EXECUTABLE, "report", "verify", "--data", str(county.relay.data), "--heads", str(heads), "--json"],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_lodged_heads_show_a_rewriting(county, tmp_path):
    heads = tmp_path / "heads.json"
    assert str(heads) in county.tongke("ledger", "--heads-out", str(heads))
    assert verify(county, heads, 0)["findings"] == []
    county.relay.stop()
    assert verify(county, heads, 0)["findings"] == []
    ledger = sqlite3.connect(county.relay.data / "ledger.sqlite")
    for (trigger,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        ledger.execute(f"DROP TRIGGER {trigger}")
    last = ledger.execute("SELECT MAX(id) FROM events").fetchone()[0]
    ledger.execute("DELETE FROM events WHERE id > ?", (last - 3,))
    ledger.execute("UPDATE chain SET events = ?, hash = (SELECT hash FROM events WHERE id = ?)", (last - 3, last - 3))
    ledger.commit()
    ledger.close()
    found = verify(county, heads, 1)
    assert found["intact"] and found["findings"][0] == "cutTail"
