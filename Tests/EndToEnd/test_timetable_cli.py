"""The walk of README from an empty relay to a published term, a moved lesson and a calendar, by the real commands."""

import datetime
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import icalendar
import pytest
import requests

import relay as relays

COUNTY = Path(__file__).parents[2] / "Configs/sample-county"
CONFLICTS = Path(__file__).parents[2] / "Configs/sample-county-conflicts"
CHINA = datetime.timezone(datetime.timedelta(hours=8))


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


@pytest.fixture
def county(tmp_path):
    """The sample county's files; years ahead once its term is over, since no lesson of the past is made."""
    files = []
    # 364 days keep every weekday.
    years = max(0, datetime.date.today().year - 2026 - (datetime.date.today().month < 12))

    def later(text: str) -> str:
        day = datetime.date(*map(int, re.split("[-/]", text))) + datetime.timedelta(364 * years)
        return day.isoformat()

    for source in sorted(COUNTY.glob("*.csv")):
        bytes_ = source.read_bytes()
        if years:
            encoding = "gb18030" if source.name == "teachers.csv" else "utf-8"
            text = re.sub(r"\b20\d\d[-/]\d{1,2}[-/]\d{1,2}\b", lambda found: later(found.group()), bytes_.decode(encoding))
            bytes_ = text.encode(encoding)
        (tmp_path / source.name).write_bytes(bytes_)
        files.append(str(tmp_path / source.name))
    return files


@pytest.fixture
def tongke(tmp_path):
    data, port = tmp_path / "data", free_port()
    config = tmp_path / "tongke.yaml"
    config.write_text(json.dumps({"https": "none", "udpPort": 0}))
    log = open(tmp_path / "relay.log", "wb")
    relay = subprocess.Popen(
        [relays.EXECUTABLE, "serve", "--data", data, "--config", config, "--http", f"127.0.0.1:{port}"],
        stdout=log, stderr=log,
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            if requests.get(base + "/readyz", timeout=1).ok:
                break
        except requests.ConnectionError:
            pass
        assert relay.poll() is None, (tmp_path / "relay.log").read_text()
        time.sleep(0.1)

    def run(*arguments, code=0, input=None, locale="zh_CN.UTF-8"):
        environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LC_ALL": locale}
        done = subprocess.run(
            [relays.EXECUTABLE, *map(str, arguments)], capture_output=True, text=True, input=input, timeout=60,
            env=environment,
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    run.base, run.log = base, tmp_path / "relay.log"
    run.token = run("token", "issue", "--data", data, "--days", "1").strip()
    run("login", base, input=run.token)
    yield run
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(20) == 0


@pytest.mark.timeout(180)
def test_a_county_from_files_to_a_published_term(tongke, county, tmp_path):
    assert "新增" in tongke("import", "--dry-run", *county)
    assert json.loads(tongke("term", "list", "--json")) == []
    tongke("import", *county)
    again = json.loads(tongke("import", "--json", *county))
    assert {name: again["counts"][name] for name in ("add", "change", "remove")} == {"add": 0, "change": 0, "remove": 0}

    # A mistake is told with its row and column, and nothing of the file is taken.
    wrong = tmp_path / "wrong.csv"
    wrong.write_text((COUNTY / "rooms.csv").read_text().replace("P01-1", "P99-9").replace("P01,", "P98,", 1))
    tongke("import", wrong, code=1)

    assert len(json.loads(tongke("course", "list", "--json"))) == 11
    check = json.loads(tongke("timetable", "check", "--json"))
    assert check["conflicts"] == 0 and check["warnings"] == 0
    windows = json.loads(tongke("timetable", "free", "--course", "K04", "--json"))
    assert windows and all(1 <= window["weekday"] <= 7 for window in windows)
    gaps = json.loads(tongke("timetable", "gaps", "--json"))
    assert {gap["state"] for gap in gaps} == {"missing", "notKnown"}

    tongke("timetable", "publish")
    lessons = json.loads(tongke("lesson", "list", "--course", "K02", "--from", "2000-01-01", "--to", "2999-12-31", "--json"))
    lessons = lessons["lessons"] if isinstance(lessons, dict) else lessons
    moved, cancelled = lessons[-1], lessons[-2]
    start = datetime.datetime.strptime(moved["start"], "%Y-%m-%d %H:%M") + datetime.timedelta(days=5)
    day = start.strftime("%Y-%m-%d")
    tongke("lesson", "move", moved["id"], "--start", f"{day} 15:00", "--end", f"{day} 15:40", "--reason", "教师外出")
    tongke("lesson", "cancel", cancelled["id"], "--reason", "停电")

    # By a program none of us wrote: the instants of every lesson of the room, the moved one among them.
    calendar = icalendar.Calendar.from_ical(tongke("timetable", "calendar", "--room", "P02-1"))
    override = [
        event for event in calendar.walk("VEVENT")
        if event.decoded("dtstart").astimezone(CHINA) == datetime.datetime.fromisoformat(f"{day}T15:00:00+08:00")
    ]  # fmt: skip
    assert len(override) == 1 and override[0].decoded("dtend") - override[0].decoded("dtstart") == datetime.timedelta(minutes=40)
    assert any(str(event.get("status")) == "CANCELLED" for event in calendar.walk("VEVENT"))


@pytest.mark.timeout(180)
def test_conflicts_are_told_and_stop_the_publication(tongke, county):
    tongke("import", *county)
    tongke("import", *sorted(CONFLICTS.glob("*.csv")))
    told = json.loads(tongke("timetable", "check", "--json", code=1))
    codes = sorted(each["code"] for each in told["findings"] if each["severity"] != "note")
    # Only the relay's own capacity is too large for so small a county.
    assert codes == sorted([
        "leadTeacher", "leadRoom", "leadClass", "siteRoom", "siteClass", "unpairedInstitution", "bellMisfit", "holiday",
        "siteBandwidth", "unacceptedRoom", "screenTime", "modeOrRole",
    ])  # fmt: skip
    table = tongke("timetable", "check", code=1)
    assert "X01" in table and "X07" in table
    tongke("timetable", "publish", code=1)
    assert json.loads(tongke("term", "list", "--json"))[0]["state"] == "draft"


@pytest.mark.timeout(120)
def test_a_lesson_that_is_cancelled_while_its_room_waits_is_over_at_once(tongke, county):
    tongke("import", *county)
    start = (datetime.datetime.now(CHINA) + datetime.timedelta(minutes=3)).strftime("%Y-%m-%d %H:%M")
    made = json.loads(tongke("lesson", "add", "--course", "K02", "--start", start, "--reason", "补课", "--json"))
    headers = {"Authorization": f"Bearer {tongke.token}", "Accept": "text/event-stream"}
    with requests.get(
        f"{tongke.base}/api/v1/lessons/{made['id']}/events", headers=headers, stream=True, timeout=20
    ) as events:
        lines = events.iter_lines(decode_unicode=True)
        assert any("armed" in line for line in lines)
        tongke("lesson", "cancel", made["id"], "--reason", "停电")
        # The stream ends, and says why.
        assert any("cancelled" in line for line in lines)
        for _ in lines:
            pass
    lesson = requests.get(f"{tongke.base}/api/v1/lessons/{made['id']}", headers=headers, timeout=10).json()
    assert lesson["state"] == "cancelled"
    assert "cannot be ended" not in tongke.log.read_text()
