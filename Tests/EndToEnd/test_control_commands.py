"""The commands that ask a relay, against answers a test makes up: what is asked, printed, and left with."""

import base64
import csv
import io
import json
import os
import stat
import subprocess

import pytest

import control_double
import relay as relays

TERM = {"code": "2026-2027-1", "name": "秋季", "state": "draft", "version": 0, "firstDay": "2026-09-01", "weeks": 20}
LESSON = "00000000-0000-7000-8000-000000000001"
PUBLISHED = {
    "id": LESSON, "title": "音乐", "course": "K01", "start": "2026-09-09 10:20", "end": "2026-09-09 11:00",
    "state": "published", "rooms": ["L01-1", "P01-1"], "revision": 4,
}  # fmt: skip


@pytest.fixture
def double():
    each = control_double.ControlDouble()
    each.on("GET", "terms", [TERM])
    yield each
    each.close()


@pytest.fixture
def tongke(double, tmp_path):
    def run(*arguments, input=None, locale="en_US.UTF-8", **environment):
        known = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LC_ALL": locale}
        known |= {"TONGKE_URL": double.url, "TONGKE_TOKEN": "token-1"} | environment
        return subprocess.run(
            [relays.EXECUTABLE, *arguments],
            capture_output=True,
            input=input,
            timeout=30,
            env={name: value for name, value in known.items() if value is not None},
        )

    return run


@pytest.mark.timeout(60)
def test_a_login_is_kept_for_its_owner_alone_until_the_logout(tongke, double, tmp_path):
    bare = {"TONGKE_URL": None, "TONGKE_TOKEN": None}
    done = tongke("login", double.url, input=b" secret-token \n", **bare)
    assert done.returncode == 0, done.stderr
    file = tmp_path / ".config/tongke/profiles.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == ["profiles.json"]
    assert tongke("term", "list", **bare).returncode == 0
    assert [each.headers["Authorization"] for each in double.asked] == ["Bearer secret-token"] * 2
    # The token of one relay goes to no other.
    other = tongke("term", "list", TONGKE_URL="http://127.0.0.1:9", TONGKE_TOKEN=None)
    assert other.returncode == 1 and b"no token" in other.stderr
    assert tongke("logout", **bare).returncode == 0
    assert "secret-token" not in file.read_text()
    assert tongke("term", "list", **bare).returncode == 1


@pytest.mark.timeout(60)
def test_a_token_that_is_refused_is_not_kept(tongke, double, tmp_path):
    problem = {"type": "urn:tongke:problem:badToken", "title": "No\x1b[31m token", "status": 401, "detail": "Ask again."}
    double.on("GET", "terms", problem, 401)
    done = tongke("login", double.url, input=b"wrong")
    assert done.returncode == 1 and done.stderr == b"tongke: No [31m token\nAsk again.\n"
    assert not (tmp_path / ".config").exists()


@pytest.mark.timeout(60)
def test_files_and_standard_input_are_imported_as_they_are(tongke, double, tmp_path):
    teachers = tmp_path / "教师.csv"
    teachers.write_bytes("学校编号\n".encode("gb18030"))
    line = {"sheet": "教师.csv", "row": 2, "key": "L01/1001", "name": "甲", "action": "change"}
    line["changes"] = [{"column": "姓名", "old": "乙", "new": "甲"}]
    counts = {"add": 0, "change": 1, "same": 3, "absent": 0, "remove": 0}
    double.on("POST", "imports", {"applied": False, "lines": [line], "counts": counts})
    arguments = ["import", str(teachers), "-", "--dry-run", "--school-year", "2026-2027", "--term", "2026-2027-1"]
    done = tongke(*arguments, input="编号".encode(), locale="zh_CN.UTF-8")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "姓名：乙 → 甲" in text and "没有写入" in text
    asked = double.asked[-1]
    assert asked.headers["Accept-Language"] == "zh-CN"
    assert asked.body["dryRun"] is True and asked.body["schoolYear"] == 2026
    assert [each["name"] for each in asked.body["files"]] == ["教师.csv", "stdin"]
    assert base64.b64decode(asked.body["files"][0]["data"]) == teachers.read_bytes()
    assert base64.b64decode(asked.body["files"][1]["data"]) == "编号".encode()


@pytest.mark.timeout(60)
def test_a_large_file_arrives_whole_and_a_missing_one_is_named(tongke, double, tmp_path):
    counts = {"add": 0, "change": 0, "same": 0, "absent": 0, "remove": 0}
    double.on("POST", "imports", {"applied": True, "lines": [], "counts": counts})
    large = os.urandom(5_000_000)
    (tmp_path / "empty.csv").touch()
    done = tongke("import", "-", str(tmp_path / "empty.csv"), input=large)
    assert done.returncode == 0, done.stderr
    files = double.asked[-1].body["files"]
    assert [base64.b64decode(each["data"]) for each in files] == [large, b""]
    for path in [tmp_path / "missing.csv", tmp_path]:
        done = tongke("import", str(path))
        assert done.returncode == 1 and str(path).encode() in done.stderr
    with open("/dev/zero", "rb") as endless:
        done = subprocess.run([relays.EXECUTABLE, "import", "-"], stdin=endless, capture_output=True, timeout=30)
    assert done.returncode == 1 and b"100 MB" in done.stderr


@pytest.mark.timeout(60)
def test_what_is_wrong_with_files_is_a_table(tongke, double):
    issue = {"sheet": "courses", "row": 2, "column": "周次", "value": "1月16日", "code": "mangled", "text": "改成 1-16"}
    problem = {"type": "urn:tongke:problem:import", "title": "坏", "status": 422, "detail": "改", "issues": [issue]}
    double.on("POST", "imports", problem, 422)
    done = tongke("import", "-", input=b"x")
    assert done.returncode == 1 and "1月16日" in done.stdout.decode() and "坏" in done.stderr.decode()
    done = tongke("import", "-", "--json", input=b"x")
    assert done.returncode == 1 and json.loads(done.stdout)["issues"] == [issue]


def check_answer(conflicts):
    finding = {"code": "leadTeacher", "severity": "conflict", "course": "K01", "sentence": "甲教师同时上两节课"}
    finding |= {"resolutions": ["换教师", "换时间"], "dates": ["2026-09-07", "2026-09-14"]}
    note = finding | {"code": "holiday", "severity": "note", "sentence": "放假"}
    found = [finding] * conflicts + [note]
    return {"term": TERM["code"], "version": 0, "conflicts": conflicts, "warnings": 0, "notes": 1, "findings": found}


@pytest.mark.timeout(60)
def test_check_leaves_with_1_and_a_table_when_there_are_conflicts(tongke, double):
    double.on("GET", "terms/2026-2027-1/check", check_answer(2))
    done = tongke("timetable", "check", "--course", "K01", locale="zh_CN.UTF-8")
    text = done.stdout.decode()
    assert done.returncode == 1 and text.count("甲教师同时上两节课") == 2 and "换教师、换时间" in text
    assert "放假" not in text and "2 处冲突" in text
    assert double.asked[-1].query == {"course": "K01"}
    rows = list(csv.reader(io.StringIO(tongke("timetable", "check", "--csv").stdout.decode())))
    assert len(rows) == 4 and rows[1][1] == "leadTeacher"
    double.on("GET", "terms/2026-2027-1/check", check_answer(0))
    done = tongke("timetable", "check")
    assert done.returncode == 0 and b"no conflict" in done.stdout


@pytest.mark.timeout(60)
def test_which_term_is_meant_is_asked_when_there_are_several(tongke, double):
    double.on("GET", "terms", [TERM | {"code": "1999-2000-1", "firstDay": "1999-09-01"}, TERM | {"firstDay": "2000-02-20"}])
    done = tongke("timetable", "gaps")
    assert done.returncode == 1 and b"1999-2000-1, 2026-2027-1" in done.stderr
    double.on("GET", "terms/a b/gaps", [])
    assert tongke("timetable", "gaps", "--term", "a b").returncode == 0


@pytest.mark.timeout(60)
def test_free_windows_list_each_site(tongke, double):
    sites = [{"room": "P01-1", "overlapMinutes": 40, "misfitMinutes": 0, "known": True}]
    sites.append({"room": "P02-1", "overlapMinutes": 35, "misfitMinutes": 5, "known": False})
    window = {"weekday": 3, "period": 3, "start": "10:20", "end": "11:00", "weeks": "1-16", "sites": sites}
    double.on("GET", "terms/2026-2027-1/free", [window])
    done = tongke("timetable", "free", "--lead", "L01-1", "--sites", "P01-1、P02-1", "--weeks", "1-16")
    assert done.returncode == 0 and done.stdout.count(b"Wed") == 2 and b"not imported" in done.stdout
    assert double.asked[-1].query == {"lead": "L01-1", "sites": "P01-1,P02-1", "weeks": "1-16"}


@pytest.mark.timeout(60)
def test_a_publication_with_conflicts_is_refused_with_a_table(tongke, double):
    problem = {"type": "urn:tongke:problem:conflicts", "title": "2 conflicts", "status": 409, "detail": "See them."}
    double.on("POST", "terms/2026-2027-1/publish", problem | {"findings": check_answer(2)["findings"]}, 409)
    done = tongke("timetable", "publish")
    assert done.returncode == 1 and b"leadTeacher" in done.stdout and b"2 conflicts" in done.stderr
    double.on("POST", "terms/2026-2027-1/publish", {"version": 3, "made": 160, "kept": 2, "cancelled": 1})
    done = tongke("timetable", "publish")
    assert done.returncode == 0 and b"160" in done.stdout


@pytest.mark.timeout(60)
def test_a_list_of_lessons_is_read_page_by_page(tongke, double):
    def page(asked):
        start = int(asked.query.get("cursor", "0"))
        count = min(int(asked.query["limit"]), 450 - start)
        after = start + count
        more = {"next": str(after)} if after < 450 else {}
        return {"lessons": [PUBLISHED | {"revision": start + index} for index in range(count)]} | more

    double.on("GET", "lessons", page)
    done = tongke("lesson", "list", "--from", "2026-09-01", "--json")
    assert [each["revision"] for each in json.loads(done.stdout)["lessons"]] == list(range(450))
    done = tongke("lesson", "list", "--course", "K01", "--limit", "250", "--csv")
    assert done.stdout.count(LESSON.encode()) == 250 and b"250" in done.stderr
    # Without any choice it is today's, in China.
    double.asked.clear()
    tongke("lesson", "list", TZ="America/New_York")
    assert double.asked[0].query["from"] == double.asked[0].query["to"]


@pytest.mark.timeout(60)
def test_a_change_names_the_revision_it_is_of(tongke, double):
    double.on("GET", f"lessons/{LESSON}", {"id": LESSON}, ETag='"4"')
    double.on("POST", f"lessons/{LESSON}/changes", PUBLISHED | {"revision": 5})
    done = tongke("lesson", "move", LESSON, "--start", "2026-09-10T08:20", "--reason", "停电")
    assert done.returncode == 0, done.stderr
    asked = double.asked[-1]
    assert asked.headers["If-Match"] == '"4"'
    assert asked.body == {"action": "move", "start": "2026-09-10 08:20", "reason": "停电"}
    tongke("lesson", "substitute", LESSON, "--teacher", "P07/001", "--reason", "病假", "--revision", "7")
    assert double.asked[-1].headers["If-Match"] == '"7"'
    assert double.asked[-1].body == {"action": "substitute", "teacher": "P07/001", "reason": "病假"}
    problem = {"type": "urn:tongke:problem:staleMatch", "title": "Changed meanwhile", "status": 412, "detail": "Look."}
    double.on("POST", f"lessons/{LESSON}/changes", problem, 412)
    done = tongke("lesson", "cancel", LESSON, "--reason", "x")
    assert done.returncode == 1 and b"Changed meanwhile" in done.stderr


@pytest.mark.timeout(60)
def test_a_lesson_is_added_to_a_course(tongke, double):
    double.on("POST", "terms/2026-2027-1/lessons", PUBLISHED)
    done = tongke("lesson", "add", "--course", "K01", "--start", "2026-09-09 10:20", "--reason", "加课", "--json")
    assert done.returncode == 0 and json.loads(done.stdout) == PUBLISHED
    assert double.asked[-1].body == {"course": "K01", "start": "2026-09-09 10:20", "reason": "加课"}


@pytest.mark.timeout(60)
def test_calendars_and_weeks_are_passed_on_as_they_are(tongke, double, tmp_path):
    double.on("GET", "calendars/teachers/P07/001.ics", b"BEGIN:VCALENDAR\r\n\x1b")
    assert tongke("timetable", "calendar", "--teacher", "P07/001").stdout == b"BEGIN:VCALENDAR\r\n\x1b"
    double.on("GET", "terms/2026-2027-1/week", b"\xef\xbb\xbf1,2\r\n")
    target = tmp_path / "week.csv"
    arguments = ["--room", "L01-1", "--week", "3", "--format", "csv", "--output", str(target)]
    assert tongke("timetable", "week", *arguments).returncode == 0
    assert target.read_bytes() == b"\xef\xbb\xbf1,2\r\n"
    assert double.asked[-1].query == {"room": "L01-1", "week": "3", "format": "csv"}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("body", [b"<html>", b"[" * 5000, b'{"a":' * 5000, b"[{}]"], ids=["html", "deep", "objects", "shape"])
def test_what_no_relay_answers_is_told(tongke, double, body):
    double.on("GET", "terms", body)
    done = tongke("term", "list")
    assert done.returncode == 1 and b"cannot be used" in done.stderr


@pytest.mark.timeout(60)
def test_a_redirection_takes_the_token_nowhere(tongke, double):
    other = control_double.ControlDouble()
    double.on("GET", "terms", {}, 302, Location=other.url + "/api/v1/terms")
    done = tongke("term", "list")
    assert done.returncode == 1 and b"302" in done.stderr and not other.asked
    other.close()


def site_of_a_floor(number, name, **more):
    known = {"seat": f"00000000-0000-7000-8000-00000000000{number}", "room": f"P0{number}-1", "name": name}
    known |= {name: False for name in ("connected", "sending", "called", "muted", "banned", "screen", "text")}
    return known | {"video": True, "audio": True} | more


@pytest.mark.timeout(60)
def test_a_site_is_named_by_number_by_name_where_one_has_it_or_by_seat(tongke, double):
    sites = [site_of_a_floor(1, "音乐教室"), site_of_a_floor(2, "教室", muted=True, called=True), site_of_a_floor(3, "教室")]
    floor = {"lesson": LESSON, "paused": True, "hands": [sites[2]["seat"]], "sites": sites}
    double.on("GET", f"lessons/{LESSON}/floor", floor)
    double.on("POST", f"lessons/{LESSON}/floor", floor)
    for text, number in [("P01-1", 0), ("p02-1", 1), ("音乐教室", 0), (sites[2]["seat"].upper(), 2)]:
        done = tongke("lesson", "call", LESSON, text, locale="zh_CN.UTF-8")
        assert done.returncode == 0, done.stderr
        assert double.asked[-1].body == {"act": "call", "seat": sites[number]["seat"]}
        # Whoever is called and muted is not heard, and the lead is told so.
        assert "还没有发送" in done.stdout.decode() and "unmute" in done.stdout.decode()
    asked = len(double.asked)
    for text, told in [("教室", ["P02-1 教室", "P03-1 教室"]), ("P09-1", ["P01-1 音乐教室", "P02-1 教室", "P03-1 教室"]), ("", [])]:
        done = tongke("lesson", "ban", LESSON, text, locale="zh_CN.UTF-8")
        assert done.returncode == 1 and not done.stdout
        assert all(each in done.stderr.decode() for each in told) and "P09-2" not in done.stderr.decode()
    assert all(each.method == "GET" for each in double.asked[asked:]), "nobody is banned by a name that two have"

    tongke("lesson", "grant", LESSON, "P03-1", "screen", "on")
    assert double.asked[-1].body == {"act": "grant", "seat": sites[2]["seat"], "medium": "screen", "on": True}
    tongke("lesson", "ban", LESSON, "P03-1", "--reason", "吵闹")
    assert double.asked[-1].body == {"act": "ban", "seat": sites[2]["seat"], "reason": "吵闹"}
    tongke("lesson", "mute", LESSON, "--all")
    assert double.asked[-1].body == {"act": "mute"}
    table = tongke("lesson", "floor", LESSON, locale="zh_CN.UTF-8").stdout.decode()
    assert "全部互动已暂停" in table and table.count("教室") >= 3 and "已静音" in table
    assert json.loads(tongke("lesson", "floor", LESSON, "--json").stdout) == floor
    assert len(list(csv.reader(io.StringIO(tongke("lesson", "floor", LESSON, "--csv").stdout.decode())))) == 4
