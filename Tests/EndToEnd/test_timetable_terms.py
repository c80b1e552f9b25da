"""Terms as coordinators meet them: single changes that conflict, calendars that a phone follows, files that are wrong, and
a relay that dies in the middle of an import."""

import csv
import datetime
import io
import json
import os
import signal
import subprocess
import time

import icalendar
import pytest
import requests

import relay as relays
from test_timetable_cli import CHINA, county, free_port  # noqa: F401  (fixtures)


class Served:
    """A relay without TLS, and the commands of a coordinator who is logged in."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = folder / "relay.log"
        self.start()
        self.token = self("token", "issue", "--data", folder / "data", "--days", "1").strip()
        self("login", self.base, input=self.token)

    def start(self):
        config = self.folder / "tongke.yaml"
        config.write_text(json.dumps({"https": "none", "udpPort": 0, "logLevel": "debug"}))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [relays.EXECUTABLE, "serve", "--data", self.folder / "data", "--config", config,
                 "--http", f"127.0.0.1:{self.port}"],
                stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(300):
            try:
                if requests.get(self.base + "/readyz", timeout=1).ok:
                    return
            except requests.ConnectionError:
                pass
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def environment(self, **more):
        return {"HOME": str(self.folder), "PATH": os.environ["PATH"], "LC_ALL": "zh_CN.UTF-8"} | more

    def run(self, *arguments, input=None, **more):
        return subprocess.run(
            [relays.EXECUTABLE, *map(str, arguments)], capture_output=True, text=True, input=input, timeout=120,
            env=self.environment(**more),
        )  # fmt: skip

    def __call__(self, *arguments, code=0, input=None, **more):
        done = self.run(*arguments, input=input, **more)
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def lessons(self, *chosen):
        return json.loads(self("lesson", "list", *chosen, "--to", "2999-12-31", "--json"))["lessons"]


@pytest.fixture
def tongke(tmp_path):
    served = Served(tmp_path)
    yield served
    if served.process.poll() is None:
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(20) == 0


@pytest.fixture
def published(tongke, county):  # noqa: F811
    tongke("import", *county)
    tongke("timetable", "publish")
    return tongke


@pytest.mark.timeout(180)
def test_a_change_that_conflicts_is_refused_with_both_sides_unless_forced(published):
    tongke = published
    own = next(each for each in tongke.lessons("--course", "K02"))
    other = next(each for each in tongke.lessons("--course", "K03") if each["start"][:10] > own["start"][:10])
    arguments = ["lesson", "move", own["id"], "--start", other["start"], "--end", other["end"], "--reason", "教师外出"]
    done = tongke.run(*arguments)
    assert done.returncode == 1 and "leadRoom" in done.stdout and "K03" in done.stdout and "K02" in done.stdout
    assert "--force" in done.stderr
    refused = json.loads(tongke(*arguments, "--json", code=1))
    assert refused["status"] == 409 and refused["type"].endswith("lessonConflicts")
    assert all(each["resolutions"] for each in refused["findings"] if each["code"] == "leadRoom")
    english = tongke.run(*arguments, LC_ALL="en_US.UTF-8")
    assert "conflicts are in the way" in english.stderr
    assert [each["revision"] for each in tongke.lessons("--course", "K02")][0] == 0
    forced = json.loads(tongke(*arguments, "--force", "--json"))
    assert forced["start"] == other["start"] and {each["severity"] for each in forced["findings"]} >= {"conflict"}
    assert json.loads(tongke("timetable", "check", "--json", code=1))["conflicts"] > 0


@pytest.mark.timeout(180)
def test_a_phone_follows_a_calendar_without_a_token(published):
    tongke = published
    lines = tongke("timetable", "calendar", "--room", "P02-1", "--subscribe", "--label", "教务处").split()
    assert lines[0].startswith("webcal://") and lines[1].startswith("http://") and lines[0][6:] == lines[1][4:]
    path = lines[1].removeprefix(tongke.base)
    first = requests.get(tongke.base + path, timeout=10)
    assert first.status_code == 200 and first.headers["Content-Type"].startswith("text/calendar")
    assert requests.get(tongke.base + path, headers={"If-None-Match": first.headers["ETag"]}, timeout=10).status_code == 304
    before = icalendar.Calendar.from_ical(first.text)
    assert all(int(event["sequence"]) == 0 for event in before.walk("VEVENT"))

    lessons = tongke.lessons("--course", "K02")
    first_day = datetime.date.fromisoformat(lessons[-5]["start"][:10])
    start = f"{first_day + datetime.timedelta(days=(2 - first_day.isoweekday()) % 7)} 14:50"
    tongke("lesson", "move", lessons[-5]["id"], "--start", start, "--reason", "教师外出", "--force")
    tongke("lesson", "cancel", lessons[-2]["id"], "--reason", "停电")
    second = requests.get(tongke.base + path, headers={"If-None-Match": first.headers["ETag"]}, timeout=10)
    assert second.status_code == 200
    after = icalendar.Calendar.from_ical(second.text)
    wanted = datetime.datetime.strptime(start, "%Y-%m-%d %H:%M").replace(tzinfo=CHINA)
    moved = [event for event in after.walk("VEVENT") if event.decoded("dtstart").astimezone(CHINA) == wanted]
    assert len(moved) == 1 and int(moved[0]["sequence"]) > 0
    gone = [event for event in after.walk("VEVENT") if str(event.get("status")) == "CANCELLED"]
    assert len(gone) == 1 and int(gone[0]["sequence"]) > 0
    old = datetime.datetime.strptime(lessons[-2]["start"], "%Y-%m-%d %H:%M").replace(tzinfo=CHINA)
    assert gone[0].decoded("dtstart").astimezone(CHINA) == old

    links = json.loads(tongke("timetable", "calendar", "--links", "--json"))
    assert [each["of"] for each in links] == ["P02-1"] and "url" not in links[0]
    secret = path.split("/")[-1].removesuffix(".ics")
    tongke("timetable", "calendar", "--revoke", links[0]["id"])
    assert requests.get(tongke.base + path, timeout=10).status_code == 404
    assert secret not in tongke.log.read_text(), "a log has the secret of a link"


@pytest.mark.timeout(180)
def test_the_same_is_told_whatever_zone_the_machine_is_in(published):
    tongke = published
    commands = [
        ["timetable", "check", "--json"], ["timetable", "week", "--room", "P02-1", "--week", "14"],
        ["timetable", "calendar", "--room", "P02-1"], ["timetable", "free", "--course", "K04", "--csv"],
        ["lesson", "list", "--course", "K02", "--from", "2000-01-01", "--to", "2999-12-31", "--csv"],
        ["timetable", "week", "--room", "L01-1", "--week", "3", "--format", "csv"], ["term", "list", "--json"],
    ]  # fmt: skip
    for command in commands:
        utc, york = (tongke(*command, TZ=zone) for zone in ("UTC", "America/New_York"))
        assert utc == york and len(utc) > 20, command
    # And whatever zone the relay itself is in.
    told = [tongke(*command) for command in commands]
    tongke.process.send_signal(signal.SIGTERM)
    assert tongke.process.wait(20) == 0
    os.environ["TZ"] = "America/New_York"
    try:
        tongke.start()
    finally:
        del os.environ["TZ"]
    assert [tongke(*command) for command in commands] == told


def write(path, rows):
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.mark.timeout(180)
def test_wrong_files_are_refused_whole_and_told_all_at_once(tongke, tmp_path):
    schools = write(tmp_path / "institutions.csv", [
        ["编号", "名称", "类型", "中心校"], ["P01", "甲校", "学校", "P02"], ["P02", "乙校", "学校", "P01"],
    ])  # fmt: skip
    bells = write(tmp_path / "bells.csv", [
        ["学校编号", "作息名称", "第1节", "第2节"], ["P01", "作息", "8:00-8:40", "8:30-9:10"], ["P02", "作息", "9:00-8:00", ""],
    ])  # fmt: skip
    terms = write(tmp_path / "terms.csv", [["学期", "第一周日期", "周数"], ["T1", "2026/2/30", "20"]])
    rooms = write(tmp_path / "rooms.csv", [["教室编号", "学校编号"], ["P09-1", "P09"]])
    done = json.loads(tongke("import", "--json", schools, bells, terms, rooms, code=1))
    codes = {(each["sheet"], each["row"], each["code"]) for each in done["issues"]}
    assert {("bells", 2, "overlappingPeriods"), ("bells", 3, "badTimeSpan"), ("rooms", 2, "unknownReference")} <= codes
    assert ("terms", 2, "impossibleDate") in codes
    assert any(code == "cyclicReference" for _, _, code in codes)
    assert json.loads(tongke("term", "list", "--json")) == []


@pytest.mark.timeout(300)
def test_a_hundred_megabytes_are_refused_and_take_no_memory(tongke, tmp_path):
    def peak():
        status = open(f"/proc/{tongke.process.pid}/status").read()
        return int(next(line for line in status.split("\n") if line.startswith("VmHWM")).split()[1]) // 1024

    row = "教室编号,学校编号\n" + "P01-1,P01\n" * 100_000
    with open(tmp_path / "rooms.csv", "w") as file:
        while file.tell() < 101_000_000:
            file.write(row)
    done = tongke.run("import", tmp_path / "rooms.csv")
    assert done.returncode == 1 and "100" in done.stderr, done.stderr
    # A client that does not look at what it sends is told by the relay, which has not read it all.
    before = peak()
    headers = {"Authorization": f"Bearer {tongke.token}", "Content-Type": "application/json"}
    sent = 0

    def body():
        nonlocal sent
        yield b'{"files":[{"name":"rooms.csv","data":"'
        for _ in range(100):
            sent += 1 << 20
            yield b"A" * (1 << 20)
        yield b'"}]}'

    try:
        answer = requests.post(tongke.base + "/api/v1/imports", data=body(), headers=headers, timeout=60)
        assert answer.status_code == 413 and answer.json()["type"].endswith("tooLarge")
    except requests.ConnectionError:
        # It hung up on the rest.
        assert sent < 100 << 20
    assert peak() - before < 200, f"{before} to {peak()} MiB"
    assert json.loads(tongke("term", "list", "--json")) == []


def large_county(folder, schools):
    """Sheets that take a relay some seconds."""
    files = [
        write(folder / "institutions.csv", [["编号", "名称", "类型"]] + [[f"S{n}", f"第{n}小学", "学校"] for n in range(schools)]),
        write(folder / "rooms.csv", [["教室编号", "学校编号"]] + [[f"S{n}-{r}", f"S{n}"] for n in range(schools) for r in range(4)]),
        write(folder / "teachers.csv", [["学校编号", "工号", "姓名"]] + [[f"S{n}", str(t), "王丽"] for n in range(schools) for t in range(12)]),
        write(folder / "classes.csv", [["班级编号", "学校编号", "班级名称"]] + [[f"S{n}-B{b}", f"S{n}", f"{b}班"] for n in range(schools) for b in range(8)]),
    ]  # fmt: skip
    return [str(file) for file in files]


@pytest.mark.timeout(300)
def test_a_relay_that_is_killed_during_an_import_has_all_of_it_or_nothing(tongke, tmp_path):
    files = large_county(tmp_path, 4_000)
    started = time.monotonic()
    tongke("import", "--dry-run", "--json", *files)
    whole = time.monotonic() - started
    kills = 0
    # At several places of the import, most of them while the ledger is written.
    for share in (0.5, 0.8, 0.9, 1.0, 1.1):
        client = subprocess.Popen(
            [relays.EXECUTABLE, "import", "--json", *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=tongke.environment(),
        )  # fmt: skip
        time.sleep(whole * share)
        if client.poll() is None:
            kills += 1
        tongke.process.kill()
        tongke.process.wait(10)
        client.communicate(timeout=60)
        tongke.start()
        counts = json.loads(tongke("import", "--dry-run", "--json", *files))["counts"]
        rows = 4_000 * (1 + 4 + 12 + 8)
        assert (counts["add"], counts["same"]) in ((rows, 0), (0, rows)), counts
        if client.returncode == 0:
            assert counts["same"] == rows, "what was acknowledged is there"
        if counts["same"]:
            break
    assert kills > 0, "the relay was never killed in the middle"
    # It goes on as if nothing had been.
    tongke("import", "--json", *files)
    again = json.loads(tongke("import", "--json", *files))["counts"]
    assert again["same"] == 4_000 * 25 and again["add"] == 0
    tongke.process.send_signal(signal.SIGTERM)
    assert tongke.process.wait(20) == 0
    tongke("report", "verify", "--data", tmp_path / "data")


@pytest.mark.timeout(180)
def test_of_two_coordinators_the_second_is_told_what_the_first_has_changed(published):
    tongke = published
    lesson = tongke.lessons("--course", "K02")[-1]
    tongke("lesson", "cancel", lesson["id"], "--reason", "停电", "--revision", lesson["revision"])
    late = tongke.run("lesson", "cancel", lesson["id"], "--reason", "教师外出", "--revision", str(lesson["revision"]))
    assert late.returncode == 1 and "取消" in late.stderr and "停电" in late.stderr
