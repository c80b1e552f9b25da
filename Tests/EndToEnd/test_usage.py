"""Usage reaches a real learning record store, each statement once, whatever happens on the way."""

import base64
import collections
import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import time

import pytest

import record_store
import relay as relays
from waiting import eventually

PAGE = "https://space.example.cn"
SPACES = "空间类型,学校编号,平台主页,空间账号\n" + "".join(
    f"学校,{number},{PAGE},S-{number}\n" for number in ("OPEN-L01", "OPEN-P01")
)
MISSING = f"空间类型,学校编号,平台主页,空间账号\n学校,OPEN-P02,{PAGE},S-OPEN-P02\n"


@pytest.fixture
def store(tmp_path):
    ralph = record_store.Ralph(tmp_path / "ralph")
    line = record_store.Line(ralph.endpoint)
    yield ralph, line
    line.close()
    ralph.stop()


@pytest.fixture
def reporting(tmp_path, store):
    secret = tmp_path / "lrs.secret"
    secret.write_text(record_store.PASSWORD + "\n")
    return {
        "reporting": {
            "appId": "4101", "platformCode": "430000", "activityBase": "https://relay.example.cn",
            "platforms": [{
                "name": "county", "endpoint": store[1].endpoint, "homePage": PAGE, "user": record_store.USER,
                "passwordFile": str(secret),
            }],
        }
    }  # fmt: skip


def outbox(relay) -> dict:
    answer = relay.request("GET", "/api/v1/reports/outbox", relay.operator)
    assert answer.status_code == 200, answer.text
    return answer.json()


def found_schools(relay) -> None:
    """The schools of lessons outside any timetable are there from the first such lesson on."""
    tomorrow = int(time.time() * 1_000) + 86_400_000
    relay.make_lesson(tomorrow, tomorrow + 2_400_000, receivers=2)


def send_spaces(relay, text: str) -> None:
    file = {"name": "spaces.csv", "data": base64.b64encode(text.encode()).decode()}
    answer = relay.request(
        "POST", "/api/v1/imports", relay.operator, json={"files": [file], "deleteMissing": False, "dryRun": False}
    )
    assert answer.status_code == 200, answer.text


def tongke(relay, *arguments: str, code: int = 0) -> str:
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(relay.folder), "LC_ALL": "zh_CN.UTF-8", "TONGKE_URL": relay.base,
        "TONGKE_TOKEN": relay.operator,
    }  # fmt: skip
    done = subprocess.run([relays.EXECUTABLE, *arguments], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout


def teach(relay, short_lesson, start_client, seconds: float = 4) -> str:
    """A lesson that is really taught, to two sites."""
    now = int(time.time() * 1_000)
    made = relay.make_lesson(now - 60_000, now + 3_600_000, receivers=2)
    camera = next(each for each in made["whip"] if each["feed"] == "camera")
    start_client("publish", short_lesson.path, camera["url"], "--token", camera["token"], "--loop")
    for site in made["whep"]:
        start_client("receive", site["url"], "--token", site["token"], "--duration", "60")
    eventually(lambda: relay.lesson(made["lesson"])["state"] == "live", 20, lambda: relay.tail())
    joined = lambda: sum(kind == "seatJoined" for kind, _ in events(relay, made["lesson"]))  # noqa: E731
    eventually(lambda: joined() == 3, 20, lambda: f"{joined()} seats have joined\n{relay.tail()}")
    time.sleep(seconds)
    return made["lesson"]


def events(relay, lesson: str) -> list[tuple[str, bool]]:
    """Kinds of a lesson's events, and whether a seat is meant."""
    ledger = sqlite3.connect(f"file:{relay.data}/ledger.sqlite?mode=ro", uri=True)
    try:
        found = ledger.execute(
            "SELECT kind, seat IS NOT NULL FROM events WHERE lesson = ? ORDER BY id",
            (bytes.fromhex(lesson.replace("-", "")),),
        ).fetchall()
    finally:
        ledger.close()
    return [(kind, bool(seat)) for kind, seat in found]


@pytest.fixture
def start_client(tmp_path):
    running = []

    def start(*arguments):
        with open(tmp_path / f"client-{len(running)}.log", "wb") as log:
            command = [relays.EXECUTABLE, *map(str, arguments)]
            running.append(subprocess.Popen(command, stdout=log, stderr=log))
        return running[-1]

    yield start
    for each in running:
        each.kill()
        each.wait(10)


def verbs(statements) -> collections.Counter:
    return collections.Counter(each["verb"]["id"].rsplit("/", 1)[1] for each in statements)


@pytest.mark.timeout(240)
def test_a_lesson_reaches_ralph_once_through_everything(tmp_path, store, reporting, short_lesson, start_client):
    ralph, line = store
    relay = relays.Relay(tmp_path / "relay", reporting).start()
    try:
        found_schools(relay)
        send_spaces(relay, SPACES)
        # The store is down while the lesson is taught.
        lesson = teach(relay, short_lesson, start_client)
        eventually(lambda: outbox(relay)["platforms"][0].get("trouble") == "unreachable", 20, lambda: outbox(relay))
        relay.end_lesson(lesson)
        eventually(lambda: outbox(relay)["cursor"] == outbox(relay)["events"], 20, lambda: outbox(relay))
        told = outbox(relay)
        assert told["waiting"] >= 6 and told["sent"] == 0
        assert told["held"] == 2, "whose school has no space is held"
        shown = tongke(relay, "report", "outbox", "--unmapped")
        assert "OPEN-P02" in shown and "OPEN-P01" not in shown
        sheet = list(csv.DictReader(io.StringIO(tongke(relay, "report", "outbox", "--unmapped", "--csv"))))
        assert [(each["空间类型"], each["学校编号"], each["空间账号"]) for each in sheet] == [("学校", "OPEN-P02", "")]

        # Up again, and then everything that can be wrong with one.
        ralph.start()
        for fault in ("500", "garbage", "503", "lost"):
            line.fault = fault
            before = len(line.requests)
            tongke(relay, "report", "outbox", "resume")
            eventually(lambda: len(line.requests) > before, 20, lambda: f"{fault}: {outbox(relay)}")
        # Killed in the middle of it.
        relay.kill()
        relay.start()
        eventually(lambda: outbox(relay)["platforms"][0]["failures"] > 0, 20, lambda: outbox(relay))
        # Ralph takes a batch of statements it has as nothing new.
        line.fault = "413"
        tongke(relay, "report", "outbox", "resume")
        eventually(lambda: outbox(relay)["waiting"] == 0, 30, lambda: outbox(relay))
        line.fault = None
        told = outbox(relay)
        assert told["parked"] == 0 and told["held"] == 2

        # The space that was missing comes.
        send_spaces(relay, MISSING)
        eventually(lambda: outbox(relay)["held"] == 0 and outbox(relay)["waiting"] == 0, 40, lambda: outbox(relay))
        assert "都有" in tongke(relay, "report", "outbox", "--unmapped")

        statements = ralph.statements()
        ids = collections.Counter(each["id"] for each in statements)
        assert set(ids.values()) == {1}, ids.most_common(3)
        assert len(statements) == outbox(relay)["sent"]
        expect_whole(relay, lesson, statements)
        assert all("王" not in json.dumps(each) for each in statements)
        for method, headers, _, _ in line.requests:
            assert headers.get("X-Experience-API-Version") == "1.0.3" and headers["Authorization"].startswith("Basic ")
        assert record_store.PASSWORD not in relay.tail(10_000)
        expect_files(relay, lesson)
    finally:
        relay.stop()
    relay.expect_chain()


def expect_whole(relay, lesson: str, statements: list[dict]) -> None:
    """As many statements of each verb as the ledger's events call for, and no other."""
    kinds = events(relay, lesson)
    of = [each for each in statements if each["object"]["id"].endswith(lesson)]
    assert {each["context"]["registration"] for each in of} and len({each["context"]["registration"] for each in of}) == 1
    counted = verbs(of)
    live = sum(kind == "lessonLive" for kind, _ in kinds)
    assert counted["initialized"] == live == counted["terminated"] == 1
    joins = sum(kind == "seatJoined" for kind, _ in kinds)
    assert counted["join"] == joins == counted["leave"], (counted, kinds)
    assert {each["actor"]["account"]["name"] for each in of} == {"S-OPEN-L01", "S-OPEN-P01", "S-OPEN-P02"}
    made = sum(kind == "resourceMade" for kind, _ in kinds)
    assert verbs(statements)["create"] == made
    assert sum(counted.values()) + made == len(statements)
    for each in of:
        assert each["object"]["id"] == f"https://relay.example.cn/lessons/{lesson}"
        assert each["context"]["platform"] == "4101"
        assert each["actor"]["objectType"] == "Group" and "member" not in each["actor"]


def expect_files(relay, lesson: str) -> None:
    """The file drop of the day has the same lesson, in both forms."""
    found = lambda: [  # noqa: E731
        json.loads(line)
        for path in (relay.data / "usage").glob("*.jsonl")
        for line in path.read_text().splitlines()
        if lesson in line
    ]
    eventually(lambda: len(found()) == 3, 20, "the day's file")
    rows = found()
    assert {row["role"] for row in rows} == {"lead", "receiver"} and {row["schema"] for row in rows} == {"tongke.usage"}
    assert {row["appId"] for row in rows} == {"4101"} and {row["version"] for row in rows} == {1}
    [path] = (relay.data / "usage").glob("*.csv")
    table = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
    assert [row["seat"] for row in table] == [row["seat"] for row in rows]
    assert list(table[0]) == list(rows[0])
    assert not [each for each in (relay.data / "usage").iterdir() if each.name.startswith(".")]


@pytest.mark.timeout(180)
def test_a_relay_killed_again_and_again_doubles_nothing(tmp_path, store, reporting, short_lesson, start_client):
    ralph, line = store
    ralph.start()
    reporting["reporting"]["batch"] = 1
    relay = relays.Relay(tmp_path / "relay", reporting).start()
    try:
        found_schools(relay)
        send_spaces(relay, SPACES + MISSING.split("\n", 1)[1])
        tongke(relay, "report", "outbox", "pause")
        lessons = [teach(relay, short_lesson, start_client, seconds=1) for _ in range(3)]
        for lesson in lessons:
            relay.end_lesson(lesson)
        tongke(relay, "report", "outbox", "resume")
        for _ in range(4):
            sent = len(ralph.statements())
            eventually(lambda: len(ralph.statements()) > sent, 20, lambda: outbox(relay), every=0.005)
            relay.process.send_signal(signal.SIGKILL)
            relay.process.wait(10)
            relay.start()
        eventually(
            lambda: outbox(relay)["waiting"] == 0 and outbox(relay)["cursor"] == outbox(relay)["events"], 40,
            lambda: outbox(relay),
        )  # fmt: skip
        statements = ralph.statements()
        ids = collections.Counter(each["id"] for each in statements)
        assert set(ids.values()) == {1}, ids.most_common(3)
        assert len(ids) == outbox(relay)["sent"] and outbox(relay)["parked"] == 0
        for lesson in lessons:
            of = verbs(each for each in statements if each["object"]["id"].endswith(lesson))
            assert of["initialized"] == of["terminated"] == 1 and of["join"] == of["leave"] == 3, of
    finally:
        relay.stop()


@pytest.mark.timeout(120)
def test_a_store_whose_certificate_does_not_hold_is_told_nothing(tmp_path, reporting, short_lesson, start_client):
    certificate = record_store.make_certificate(tmp_path / "store.pem")
    line = record_store.Line("http://127.0.0.1:9", certificate)
    line.fault = "answer"
    platform = reporting["reporting"]["platforms"][0]
    platform["endpoint"] = line.endpoint
    relay = relays.Relay(tmp_path / "relay", reporting).start()
    try:
        found_schools(relay)
        send_spaces(relay, SPACES + MISSING.split("\n", 1)[1])
        relay.end_lesson(teach(relay, short_lesson, start_client, seconds=0))
        eventually(lambda: outbox(relay)["platforms"][0]["failures"] > 1, 30, lambda: outbox(relay))
        assert outbox(relay)["platforms"][0]["trouble"] == "unreachable" and not line.requests
        relay.stop()
        platform["trust"] = str(certificate.with_suffix(".trust.pem"))
        relay.config.write_text(json.dumps(json.loads(relay.config.read_text()) | reporting))
        relay.start()
        eventually(lambda: outbox(relay)["sent"] > 0 and not outbox(relay)["waiting"], 30, lambda: outbox(relay))
        assert line.requests
    finally:
        relay.stop()
        line.close()


@pytest.mark.timeout(60)
def test_a_second_relay_of_the_folder_is_refused(tmp_path, reporting):
    relay = relays.Relay(tmp_path / "relay", reporting).start()
    try:
        again = subprocess.run(
            relay.command, capture_output=True, text=True, timeout=30, env=os.environ | {"LC_ALL": "zh_CN.UTF-8"}
        )  # fmt: skip
        assert again.returncode == 1 and "另一个中继" in again.stderr, again.stderr
        relay.expect_alive()
        assert not outbox(relay)["refused"]
    finally:
        relay.stop()
