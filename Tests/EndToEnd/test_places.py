"""Schools, rooms, acceptance, audit and export by the real commands, and the account that comes over SSH."""

import io
import json
import os
import sqlite3
import subprocess
import tarfile
from pathlib import Path

import pytest

import relay as relays
from test_timetable_cli import COUNTY, county, tongke  # noqa: F401  (fixtures)


@pytest.fixture
def remote(tmp_path, tongke):  # noqa: F811
    """What sshd's ForceCommand would run, with the login of the other commands."""

    def run(command, code=0, input=None, **environment):
        known = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LC_ALL": "zh_CN.UTF-8"}
        known |= {"SSH_ORIGINAL_COMMAND": command} | environment
        done = subprocess.run([relays.EXECUTABLE, "remote"], capture_output=True, input=input, timeout=60, env=known)
        assert done.returncode == code, (command, done.returncode, done.stdout, done.stderr)
        return done

    return run


@pytest.mark.timeout(180)
def test_schools_are_registered_paired_and_closed(tongke, county):  # noqa: F811
    tongke("import", *county)
    assert "结对没有问题" in tongke("cluster", "check")
    schools = json.loads(tongke("school", "list", "--json"))["rows"]
    assert len(schools) == 12 and all(each["open"] for each in schools)
    tongke("school", "add", "P09", "--name", "岩门教学点", "--kind", "教学点", "--parent", "Z02", "--region", "桐溪县")
    tongke("school", "add", "P09", "--name", "岩门教学点", code=1)
    tongke("school", "add", "P10", "--name", "无主教学点", "--kind", "教学点", code=1)
    found = json.loads(tongke("cluster", "check", "--json", code=1))
    assert [(each["code"], each["institution"]) for each in found] == [("noPartner", "P09")]
    tongke("cluster", "change", "Q2", "--receivers", "P05,P06,P07,P08,P09")
    tongke("cluster", "check")
    assert "P09" in tongke("cluster", "show", "Q2")

    # Two coordinators: the second has not seen what the first has done, and is told.
    tongke("school", "change", "P09", "--name", "岩门小学教学点")
    environment = {"HOME": str(Path(county[0]).parent), "PATH": os.environ["PATH"], "LC_ALL": "zh_CN.UTF-8"}
    stale = subprocess.run(
        [relays.EXECUTABLE, "school", "change", "P09", "--setting", "镇区", "--tag", "old"],
        capture_output=True, text=True, timeout=30, env=environment,
    )  # fmt: skip
    assert stale.returncode == 1 and "岩门小学教学点" in stale.stderr, stale.stderr

    tongke("school", "close", "Z02", "--on", "2026-01-01", "--into", "Z01")
    row = json.loads(tongke("school", "show", "Z02", "--json"))
    assert not row["open"] and row["successor"] == "Z01" and row["validUntil"] == "2026-01-01"
    codes = [each["code"] for each in json.loads(tongke("cluster", "check", "--json", code=1))]
    assert codes == ["parentClosed"] * 5 + ["memberClosed"]
    assert "Z02" not in {each["number"] for each in json.loads(tongke("school", "list", "--open", "--json"))["rows"]}
    people = json.loads(tongke("person", "list", "--school", "L01", "--json"))["rows"]
    assert people and all(each["institution"] == "L01" for each in people)
    assert json.loads(tongke("class", "show", "P04-B34", "--json"))["cohorts"]


@pytest.mark.timeout(180)
def test_a_room_is_measured_accepted_and_asked_about(tongke, county):  # noqa: F811
    tongke("import", *county)
    assert "从未" not in tongke("site", "list")
    tongke("site", "accept", "P01-1", code=1)
    assert "从未测试过" in tongke("site", "show", "P01-1")
    measured = json.loads(tongke("site", "test", "P01-1", "--json"))
    result = measured["result"]
    assert result["downlink"] > 0 and result["uplink"] > 0 and result["roundTrip"] > 0
    assert {"h264", "opus"} <= set(result["codecs"])
    found = {each["requirement"]: each["state"] for each in measured["findings"]}
    assert found["recentTest"] == found["codecs"] == "met"
    # This machine is no classroom: what it lacks keeps the room from being accepted, and is said.
    lacks = not (result["cameras"] and result["microphones"] and result["speakers"])
    judged = json.loads(tongke("site", "accept", "P01-1", "--json", code=1 if lacks else 0))
    assert judged["accepted"] != lacks and judged["profile"] == "standard" and judged["version"] == 1
    room = json.loads(tongke("site", "show", "P01-1", "--json"))["room"]
    assert ("acceptedOn" in room) != lacks and room["testedAt"]
    if lacks:
        assert "tongke site test P01-1" in tongke("site", "accept", "P01-1", code=1)
        check = json.loads(tongke("timetable", "check", "--json"))
        assert any(each["code"] == "unacceptedRoom" for each in check["findings"])

    tongke("timetable", "publish", code=0)
    lessons = json.loads(tongke("lesson", "list", "--room", "P01-1", "--from", "2000-01-01", "--to", "2999-12-31", "--json"))
    lesson = lessons["lessons"][0]["id"]
    told = tongke("lesson", "check", lesson, code=1)
    assert "P01-1" in told and "从未测试过" in told
    sites = json.loads(tongke("lesson", "check", lesson, "--json", code=1))["sites"]
    assert [each["role"] for each in sites][0] == "lead" and any(each.get("testedAt") for each in sites)


@pytest.mark.timeout(180)
def test_the_trail_is_read_and_damage_is_placed(tongke, county, tmp_path):  # noqa: F811
    tongke("import", *county)
    data = tmp_path / "data"
    auditor = tongke("token", "issue", "--data", data, "--role", "auditor", "--scope", "city").strip()
    tongke("audit", "list", code=1)  # the operator is no auditor
    tongke("login", tongke.base, "--profile", "auditor", input=auditor)
    entries = json.loads(tongke("audit", "list", "--json"))["rows"]
    assert [each["operation"] for each in entries] == ["readAudit", "importTables"]
    assert json.loads(tongke("audit", "list", "--operation", "importTables", "--json"))["rows"] == entries[1:]
    assert "拒绝" in tongke("audit", "list", "--refused")
    assert "完好" in tongke("audit", "verify")
    with sqlite3.connect(data / "ledger.sqlite", timeout=20) as ledger:
        ledger.execute("DROP TRIGGER auditRefuseUpdate")
        ledger.execute("UPDATE audit SET outcome = 'allowed' WHERE id = 2")
    assert "第 2 条" in tongke("audit", "verify", code=1)
    broken = json.loads(tongke("audit", "verify", "--json", code=1))
    assert broken["firstBrokenEntry"] == 2 and "firstBrokenEvent" not in broken


@pytest.mark.timeout(180)
def test_what_is_exported_imports_to_the_same(tongke, county, tmp_path):  # noqa: F811
    tongke("import", *county)
    kinds = "institutions rooms persons classes clusters bells terms courses rosterTotals localLessons".split()
    for options in [(), ("--gb18030",)]:
        files = []
        for kind in kinds:
            files.append(tmp_path / f"out-{kind}.csv")
            tongke("export", kind, *options, "--output", files[-1])
        counts = json.loads(tongke("import", "--dry-run", "--json", *files))["counts"]
        assert {name: counts[name] for name in ("add", "change", "remove", "absent")} == dict.fromkeys(
            ("add", "change", "remove", "absent"), 0
        )
    files[2].read_bytes().decode("gb18030").index("姓名")
    assert (tmp_path / "out-rooms.csv").stat().st_size > 100


@pytest.mark.timeout(180)
def test_an_account_over_ssh_asks_the_relay_and_nothing_else(tongke, remote, county, tmp_path):  # noqa: F811
    # One sheet by standard input, in GB18030 as it is.
    institutions = next(Path(each) for each in county if each.endswith("institutions.csv"))
    teachers = next(Path(each) for each in county if each.endswith("teachers.csv"))
    teachers.read_bytes().decode("gb18030")
    remote("import -", input=institutions.read_bytes())
    done = remote("tongke import - --json", input=teachers.read_bytes())
    assert json.loads(done.stdout)["counts"]["add"] == 32
    # All sheets as one archive, together or not at all.
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for each in county:
            tar.add(each, arcname="名单/" + Path(each).name)
    done = remote("import - --json", input=archive.getvalue())
    assert json.loads(done.stdout)["counts"]["add"] > 50
    same = json.loads(remote("import - --json", input=archive.getvalue()).stdout)["counts"]
    assert same["add"] == same["change"] == 0
    assert "tar" in remote("import -", code=1, input=archive.getvalue()[:5_000]).stderr.decode()

    assert b"P01" in remote("school list").stdout
    changed = remote("""school change P01 --name '石壁坳 "新" 教学点' --json""")
    assert json.loads(changed.stdout)["name"] == '石壁坳 "新" 教学点'
    assert remote("export rooms --gb18030").stdout.decode("gb18030").startswith("教室编号")
    assert b"SUBCOMMANDS" in remote("").stdout

    secret = tmp_path / "secret"
    secret.write_text("root:x:0:0\n")
    made = tmp_path / "made"
    for command in [
        "serve", "token issue", "backup /tmp/x", "report verify", "doctor", "demo", "remote", "publish a b",
        f"import {secret}", f"import - {secret}", f"login http://localhost:8080 --token-file {secret}",
        f"export rooms --output {made}", f"timetable calendar --room P01-1 --output {made}",
        f"timetable week --room P01-1 --week 1 --output {made}", f"login http://localhost:8080 --trust {secret}",
        "login http://169.254.169.254:80", "sh -c id", "; id", "school list 'unfinished", "school\nlist",
    ]:  # fmt: skip
        done = remote(command, code=1, input=b"")
        assert not done.stdout and b"root:x" not in done.stderr and not made.exists(), command
    # No shell: what would mean something to one is a word here.
    remote(f"school list; touch {made}", code=2)
    remote(f"school list --search $(touch {made})", code=2)
    assert not made.exists()
