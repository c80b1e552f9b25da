"""The walk of README from an empty relay to a published term, a moved lesson and a calendar, by the real commands."""

import datetime
import json
import os
import re
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

import icalendar
import pytest
import requests

import relay as relays
from waiting import eventually

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
    log = open(tmp_path / "relay.log", "wb")
    base = f"http://127.0.0.1:{port}"
    relay = None

    def start_relay(**settings):
        nonlocal relay
        config.write_text(json.dumps({"https": "none", "udpPort": 0} | settings))
        relay = subprocess.Popen(
            [relays.EXECUTABLE, "serve", "--data", data, "--config", config, "--http", f"127.0.0.1:{port}"],
            stdout=log, stderr=log,
        )  # fmt: skip
        for _ in range(200):
            try:
                if requests.get(base + "/readyz", timeout=1).ok:
                    return
            except requests.ConnectionError:
                pass
            assert relay.poll() is None, (tmp_path / "relay.log").read_text()
            time.sleep(0.1)

    def stop_relay():
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(20) == 0

    start_relay()

    def environment(locale="zh_CN.UTF-8", **more):
        return {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LC_ALL": locale} | more

    def run(*arguments, code=0, input=None, locale="zh_CN.UTF-8"):
        done = subprocess.run(
            [relays.EXECUTABLE, *map(str, arguments)], capture_output=True, text=True, input=input, timeout=60,
            env=environment(locale),
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    started = []

    def begin(*arguments, terminal=None, **more):
        """A command that goes on, with what it prints; on a terminal when one is given."""
        pipe = subprocess.PIPE if terminal is None else terminal
        started.append(
            subprocess.Popen(
                [relays.EXECUTABLE, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=pipe,
                stderr=subprocess.STDOUT, env=environment(**more),
            )
        )  # fmt: skip
        return started[-1]

    run.base, run.log, run.begin = base, tmp_path / "relay.log", begin
    run.start_relay, run.stop_relay = start_relay, stop_relay
    run.token = run("token", "issue", "--data", data, "--days", "1").strip()
    run("login", base, input=run.token)
    yield run
    for each in started:
        if each.poll() is None:
            each.kill()
            each.wait(10)
    stop_relay()


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
    moved, cancelled = lessons[-5], lessons[-2]
    start = datetime.date.fromisoformat(moved["start"][:10])
    day = start + datetime.timedelta(days=(2 - start.isoweekday()) % 7)
    move = ["lesson", "move", moved["id"], "--start", f"{day} 14:50", "--reason", "教师外出"]
    # Every class is taught something at that hour: it is said whom it would be in the way of.
    assert "siteClass" in tongke(*move, code=1)
    tongke(*move, "--force")
    tongke("lesson", "cancel", cancelled["id"], "--reason", "停电")

    # By a program none of us wrote: the instants of every lesson of the room, the moved one among them.
    calendar = icalendar.Calendar.from_ical(tongke("timetable", "calendar", "--room", "P02-1"))
    override = [
        event for event in calendar.walk("VEVENT")
        if event.decoded("dtstart").astimezone(CHINA) == datetime.datetime.fromisoformat(f"{day}T14:50:00+08:00")
    ]  # fmt: skip
    assert len(override) == 1 and override[0].decoded("dtend") - override[0].decoded("dtstart") == datetime.timedelta(minutes=40)
    assert any(str(event.get("status")) == "CANCELLED" for event in calendar.walk("VEVENT"))


@pytest.mark.timeout(180)
def test_conflicts_are_told_and_stop_the_publication(tongke, county):
    tongke("import", *county)
    tongke("import", *sorted(CONFLICTS.glob("*.csv")))

    def codes():
        told = json.loads(tongke("timetable", "check", "--json", code=1))
        return sorted(each["code"] for each in told["findings"] if each["severity"] != "note")

    planted = [
        "leadTeacher", "leadRoom", "leadClass", "siteRoom", "siteClass", "unpairedInstitution", "bellMisfit", "holiday",
        "siteBandwidth", "unacceptedRoom", "screenTime", "modeOrRole",
    ]  # fmt: skip
    # Only the relay's own capacity is too large for so small a county.
    assert codes() == sorted(planted)
    tongke.stop_relay()
    tongke.start_relay(sessionLimit=8)
    assert codes() == sorted([*planted, "relayCapacity"])
    table = tongke("timetable", "check", code=1)
    assert "X01" in table and "X07" in table
    tongke("timetable", "publish", code=1)
    assert json.loads(tongke("term", "list", "--json"))[0]["state"] == "draft"


@pytest.mark.timeout(120)
def test_a_lesson_that_is_cancelled_while_its_room_waits_is_over_at_once(tongke, county):
    tongke("import", *county)
    start = (datetime.datetime.now(CHINA) + datetime.timedelta(minutes=3)).strftime("%Y-%m-%d %H:%M")
    add = ["lesson", "add", "--course", "K02", "--start", start, "--reason", "补课", "--force", "--json"]
    made = json.loads(tongke(*add))
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


def lesson_of_now(tongke, county) -> dict:
    """A published term with nothing today, and a lesson that begins in a minute."""
    tongke("import", *county)
    start = (datetime.datetime.now(CHINA) + datetime.timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M")
    # Whatever the classes are taught at this hour.
    add = ["lesson", "add", "--course", "K02", "--start", start, "--reason", "补课", "--force", "--json"]
    return json.loads(tongke(*add))


@pytest.mark.timeout(180)
def test_a_lesson_is_run_from_the_terminal(tongke, county):
    made = lesson_of_now(tongke, county)
    lesson = made["id"]

    def state():
        return {each["id"]: each["state"] for each in json.loads(tongke("lesson", "list", "--now", "--json"))["lessons"]}

    # Nobody arms it: its time has come.
    eventually(lambda: state().get(lesson) == "armed", 10, state)
    assert made["title"] in tongke("lesson", "list")

    # The keys of lead and sites, to read, to paste into a spreadsheet, and for programs.
    links = json.loads(tongke("lesson", "links", lesson, "--json"))["links"]
    assert [each["role"] for each in links] == ["lead"] + ["receiver"] * (len(links) - 1) and len(links) >= 3
    assert [each["room"] for each in links] == made["rooms"]
    table = tongke("lesson", "links", lesson)
    assert f"/#lesson={lesson}&token=" in table and "?" not in table
    assert tongke("lesson", "links", lesson, "--csv").count("/#lesson=") == len(links)

    log = tongke.begin("lesson", "watch", lesson)
    tongke.begin("publish", "generated", links[0]["whip"]["camera"], TONGKE_TOKEN=links[0]["token"])
    for link in links[1:3]:
        tongke.begin("receive", link["whep"], TONGKE_TOKEN=link["token"])

    def watched():
        return json.loads(tongke("lesson", "watch", lesson, "--once", "--json"))

    def everybody():
        seats = watched()["seats"]
        return all(each["state"] == "connected" and each.get("bitsPerSecond", 0) > 50_000 for each in seats[:3])

    eventually(everybody, 30, watched, every=0.5)
    now = watched()
    assert now["state"] == "live" and now["isRecording"] and now["title"] == made["title"]
    assert [each["feed"] for each in now["feeds"]] == ["camera"]
    assert now["feeds"][0]["hasPicture"] and now["feeds"][0]["hasSound"] and now["feeds"][0]["bitsPerSecond"] > 50_000
    assert [each["room"] for each in now["seats"]] == made["rooms"]
    for seat in now["seats"][1:3]:
        assert seat["picture"] == "full" and 0 <= seat["loss"] < 0.05 and 0 <= seat["roundTripMilliseconds"] < 1_000
        assert seat["connectedMilliseconds"] > 0 and seat["institution"]
    assert all(each["state"] == "neverCame" for each in now["seats"][3:])
    assert now["endsBy"] - now["plannedEnd"] == 600_000 and now["endsReason"] == "limit"
    # Another lesson takes its rooms five minutes after the bell: the overtime is shorter at once.
    next_start = datetime.datetime.strptime(made["end"], "%Y-%m-%d %H:%M") + datetime.timedelta(minutes=5)
    start = next_start.strftime("%Y-%m-%d %H:%M")
    add = ["lesson", "add", "--course", "K02", "--start", start, "--reason", "补课", "--force", "--json"]
    following = json.loads(tongke(*add))
    now = watched()
    assert now["endsBy"] - now["plannedEnd"] == 300_000 and now["endsReason"] == "leadRoom"
    tongke("lesson", "cancel", following["id"], "--reason", "停电")
    assert watched()["endsBy"] - now["plannedEnd"] == 600_000
    screen = tongke("lesson", "watch", lesson, "--once")
    assert "上课中" in screen and "录制中" in screen and "摄像头" in screen and screen.count("已连接") >= 3
    assert "live" in tongke("lesson", "watch", lesson, "--once", locale="en_US.UTF-8")
    # What is decided about a site stands in its row.
    tongke("lesson", "mute", lesson, made["rooms"][1])
    assert [each["room"] for each in watched()["seats"] if each["isMuted"]] == [made["rooms"][1]]
    assert "已静音" in tongke("lesson", "watch", lesson, "--once")

    assert lesson in tongke("lesson", "stop", lesson)
    assert log.wait(10) == 0
    told = log.stdout.read().decode()
    assert "由管理员结束" in told and "已离开" not in told.split("由管理员结束")[0]
    # One block for each change, not for each figure.
    blocks = told.split("\n\n" + made["title"])
    assert 2 <= len(blocks) <= 15 and "\x1b" not in told
    after = watched()
    assert after["state"] == "ended" and after["endReason"] == "operator"
    assert "0" in tongke("lesson", "stop", "--all")
    tongke("lesson", "stop", lesson, code=1)
    tongke("lesson", "links", lesson, code=1)


@pytest.mark.timeout(120)
def test_all_lessons_of_a_scope_are_stopped_with_the_reason(tongke, county):
    lesson = lesson_of_now(tongke, county)["id"]
    headers = {"Authorization": f"Bearer {tongke.token}", "Accept": "text/event-stream"}
    with requests.get(f"{tongke.base}/api/v1/lessons/{lesson}/events", headers=headers, stream=True, timeout=20) as news:
        lines = news.iter_lines(decode_unicode=True)
        assert any('"endsBy"' in line for line in lines)
        told = tongke("lesson", "stop", "--all", "--yes")
        assert lesson in told and "1" in told.splitlines()[-1]
        assert any('"reason":"stopAll"' in line for line in lines)
    assert json.loads(tongke("lesson", "watch", lesson, "--once", "--json"))["endReason"] == "stopAll"


@pytest.mark.timeout(120)
def test_a_list_without_lessons_says_when_the_next_one_is(tongke, county):
    tongke("import", *county)
    assert "一年内也没有" in tongke("lesson", "list")
    tomorrow = datetime.datetime.now(CHINA) + datetime.timedelta(days=1)
    start = tomorrow.strftime("%Y-%m-%d 10:10")
    add = ["lesson", "add", "--course", "K02", "--start", start, "--reason", "补课", "--force", "--json"]
    made = json.loads(tongke(*add))
    told = tongke("lesson", "list")
    assert "今天没有课" in told and start in told and made["id"] in told
    assert json.loads(tongke("lesson", "list", "--json"))["lessons"] == []


@pytest.mark.timeout(120)
def test_a_watch_on_a_terminal_outlasts_the_relay_and_gives_the_terminal_back(tongke, county):
    lesson = lesson_of_now(tongke, county)["id"]
    ours, theirs = os.openpty()
    watch = tongke.begin("lesson", "watch", lesson, terminal=theirs, locale="en_US.UTF-8")
    os.close(theirs)
    seen = bytearray()

    def shows(text):
        ready, _, _ = select.select([ours], [], [], 0.2)
        try:
            seen.extend(os.read(ours, 65_536) if ready else b"")
        except OSError:
            # Nobody has the terminal any more.
            pass
        return text in seen

    eventually(lambda: shows(b"never came"), 15, lambda: bytes(seen))
    assert seen.startswith(b"\x1b[?1049h") and b"\x1b[H" in seen
    tongke.stop_relay()
    eventually(lambda: shows(b"The relay is away"), 15, lambda: bytes(seen[-800:]))
    at = len(seen)
    tongke.start_relay()
    # `shows` reads on; what counts is what came since.
    eventually(lambda: shows(b"never") and b"never came" in seen[at + 200 :], 30, lambda: bytes(seen[at:]))
    watch.send_signal(signal.SIGINT)
    eventually(lambda: shows(b"\x1b[?1049l") or watch.poll() is not None, 10, lambda: bytes(seen[-200:]))
    assert watch.wait(10) == 0
    shows(b"")
    assert b"\x1b[?1049l" in seen and b"\x1b[?25h" in seen
    os.close(ours)
