"""A lesson that was recorded is shown to a teaching point at its own bell (异步双师): its local teacher pauses and jumps, and
what is shown counts as playback and not as attendance.

The pictures of the recording are numbered, ten a second, so that a receiver can tell which part of it is shown.
"""

import json
import os
import sqlite3
import subprocess
import time
import uuid

import pytest

import media
import relay as relays
from waiting import eventually

RATE, SECONDS = 10, 40


@pytest.fixture(scope="session")
def numbered(files):
    """40 s with a key frame each second."""
    return media.write_encoded(files / "numbered.mkv", 640, 360, RATE * SECONDS, RATE, 1, 300, tone=1_000).path


def now() -> float:
    return time.time() * 1000


class Playback:
    """A recorded lesson, an asynchronous one that has just begun, and a coordinator at a terminal."""

    def __init__(self, relay, folder, path):
        self.relay, self.folder = relay, folder
        at = int(now())
        self.recorded = relay.make_lesson(at - 60_000, at + 3_600_000, 2, "录好的课")
        lead = self.recorded["whip"][0]
        done = subprocess.run(
            [relays.EXECUTABLE, "publish", path, lead["url"]], capture_output=True, text=True, timeout=90,
            env=os.environ | {"TONGKE_TOKEN": lead["token"]},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        relay.end_lesson(self.recorded["lesson"])
        relay.resources(self.recorded["lesson"])
        self.made = relay.make_lesson(at - 60_000, at + 3_600_000, 1, "异步双师")
        self.id = self.made["lesson"]
        self.site = self.made["whep"][0]
        self.become_asynchronous()

    def become_asynchronous(self):
        """Puts the lesson into a course of that mode, as a timetable would have it."""
        course = uuid.uuid4().bytes
        with sqlite3.connect(self.relay.data / "ledger.sqlite", timeout=20) as ledger:
            lesson = uuid.UUID(self.id).bytes
            (cluster,) = ledger.execute("SELECT cluster FROM lessons WHERE id = ?", (lesson,)).fetchone()
            rooms = {
                role: str(uuid.UUID(bytes=room))
                for role, room in ledger.execute("SELECT role, room FROM seats WHERE lesson = ?", (lesson,))
            }
            ledger.execute(
                "INSERT INTO courses (id, number, cluster, term, subject, grades, textbook, lead, receivers, mode, label,"
                " weeklyTimes) VALUES (?, 'K1', ?, '2026-2027-1', 'music', '[3]', '', ?, ?, 'asyncDual', 'dedicated', '[]')",
                (course, cluster, json.dumps({"room": rooms["lead"]}), json.dumps([{"room": rooms["receiver"]}])),
            )
            ledger.execute("UPDATE lessons SET course = ? WHERE id = ?", (course, lesson))

    def tongke(self, *arguments, code: int = 0, token: str | None = None) -> str:
        environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "LC_ALL": "zh_CN.UTF-8"}
        environment |= {"TONGKE_URL": self.relay.base, "TONGKE_TOKEN": token or self.relay.operator}
        command = [relays.EXECUTABLE, "lesson", arguments[0], self.id, *arguments[1:]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment)
        assert done.returncode == code, f"{command[1:]}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout + done.stderr

    def state(self, *act, **more) -> dict:
        return json.loads(self.tongke("playback", *act, "--json", **more))

    def whep(self) -> dict:
        return {"url": f"{self.relay.base}/whep/lessons/{self.id}", "token": self.site["token"]}

    def events(self, kind: str) -> list[dict]:
        with sqlite3.connect(self.relay.data / "ledger.sqlite", timeout=20) as ledger:
            rows = ledger.execute(
                "SELECT payload FROM events WHERE lesson = ? AND kind = ? ORDER BY id",
                (uuid.UUID(self.id).bytes, kind),
            )
            return [dict(json.loads(payload)) for (payload,) in rows]


@pytest.fixture
def playback(relay, tmp_path, numbered):
    return Playback(relay, tmp_path, numbered)


def strips(peer, since: float) -> list[int]:
    return [frame.strip for frame in peer.frames() if frame.at > since and frame.strip is not None]


def expect_between(peer, since: float, low: int, high: int, what: str, seconds: float = 15) -> None:
    """Waits for pictures of a part of the recording."""
    eventually(
        lambda: sum(low <= strip <= high for strip in strips(peer, since)) >= 3, seconds,
        lambda: f"{what}: pictures {low}…{high}; {strips(peer, since)[-30:]}",
    )  # fmt: skip


@pytest.mark.timeout(240)
def test_a_recording_is_shown_paused_and_sought_at_the_sites_own_bell(playback, python_peer):
    refused = playback.tongke("playback", "play", code=1)
    assert "没有可以播放的录像" in refused
    assert "录好的课" in playback.tongke("resource", playback.recorded["lesson"])
    assert playback.state()["state"] == "waiting"

    # The bell has rung: it begins when the site is there, at its beginning, with its own sound.
    start = now()
    site = python_peer.watch(playback.whep(), "H264")
    site.connected()
    expect_between(site, start, 0, 60, "it begins")
    eventually(lambda: sum(abs(hertz - 1_000) < 80 for at, hertz in list(site.heard)) >= 10, 10, "its sound is heard")
    assert strips(site, start)[0] < 40, "it begins at its beginning"
    assert playback.relay.lesson(playback.id)["state"] == "live"

    # The local teacher pauses: the picture stands, and whoever comes late sees it.
    held = playback.state("pause", token=playback.site["token"])
    assert held["state"] == "paused"
    time.sleep(1.5)
    last, since = strips(site, start)[-1], now()
    late = python_peer.watch(playback.whep(), "H264")
    expect = lambda: any(abs(strip - last) <= 2 for strip in strips(late, since))  # noqa: E731
    eventually(expect, 15, lambda: f"who comes late sees picture {last}; {strips(late, since)}")
    assert all(abs(strip - last) <= 2 for strip in strips(site, since)), strips(site, since)
    assert max(strips(late, since)) <= last + 2
    assert abs(playback.state()["position"] - held["position"]) < 50

    # It goes on where it stood.
    since = now()
    assert playback.state("resume", token=playback.site["token"])["state"] == "playing"
    expect_between(site, since, last, last + 40, "it goes on")
    assert min(strips(site, since)) >= last - 1, strips(site, since)

    # Jumps, on and back, to the key frame at or before.
    for target, text in [(20, "0:20"), (5, "0:05")]:
        since = now()
        playback.tongke("playback", "seek", text, token=playback.site["token"])
        expect_between(site, since, (target - 1) * RATE - 2, (target + 3) * RATE, f"the jump to {text}")
        expect_between(late, since, (target - 1) * RATE - 2, (target + 3) * RATE, f"the jump to {text}, who came late")
    assert playback.tongke("playback", "seek", "99:99", code=2)
    assert len(playback.events("playbackSeeked")) == 2 and playback.events("playbackSeeked")[0]["from"]

    # The room's computer loses its power: the recording waits, and goes on when it is back.
    board = subprocess.Popen(
        [relays.EXECUTABLE, "receive", playback.whep()["url"], "--token", playback.site["token"], "--json"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    playback.tongke("playback", "seek", "0:03")
    eventually(lambda: playback.relay.lesson(playback.id)["connected"] == 3, 15, "three screens of one room")
    late.vanish()
    site.vanish()
    time.sleep(4)
    assert playback.state()["state"] == "playing", "one screen is enough"
    board.kill()
    board.wait(10)
    eventually(lambda: playback.state()["state"] == "waiting", 60, lambda: f"it waits; {playback.state()}", every=0.5)
    stood = playback.state()["position"] // 100
    since = now()
    site = python_peer.watch(playback.whep(), "H264")
    expect_between(site, since, stood - 2 * RATE, stood + 4 * RATE, "it goes on for the one that came back")
    eventually(lambda: playback.state()["state"] == "playing", 10, lambda: f"it plays again; {playback.state()}")

    # At its end the last picture stays, until the local teacher ends the lesson.
    playback.tongke("playback", "seek", "0:37", token=playback.site["token"])
    eventually(lambda: playback.state()["state"] == "ended", 20, lambda: f"it ends; {playback.state()}", every=0.5)
    assert playback.relay.lesson(playback.id)["state"] == "live"
    playback.tongke("playback", "stop", token=playback.site["token"])

    report = playback.relay.report(playback.id)
    assert report["state"] == "ended" and not report["taught"]
    assert [(seat["attendanceSeconds"], seat["attended"]) for seat in report["seats"]] == [(0, False)] * 2
    assert report["playback"]["source"].lower() == playback.recorded["lesson"].lower()
    assert report["playback"]["seeks"] == 4 and report["playback"]["pauses"] == 2
    assert 5 <= report["playback"]["playedSeconds"] <= 80 and report["playback"]["lengthSeconds"] in range(35, 42)
    assert playback.relay.lesson(playback.id)["resources"] == [], "what was recorded is not recorded again"
    playback.relay.expect_chain()


@pytest.mark.timeout(200)
def test_a_relay_that_dies_goes_on_where_the_recording_stood(playback, python_peer):
    playback.tongke("resource", playback.recorded["lesson"])
    site = python_peer.watch(playback.whep(), "H264")
    since = now()
    playback.state("play")
    playback.state("seek", "0:12")
    expect_between(site, since, 11 * RATE, 16 * RATE, "it plays")
    time.sleep(2)
    playback.relay.kill()
    site.vanish()
    playback.relay.start()
    ended = playback.events("playbackEnded")
    assert len(ended) == 1 and ended[0]["reason"] == "restart" and int(ended[0]["position"]) > 11_000, ended
    since = now()
    again = python_peer.watch(playback.whep(), "H264")
    stood = int(ended[0]["position"]) // 100
    expect_between(again, since, stood - 2 * RATE, stood + 5 * RATE, "it goes on where it stood")
    playback.tongke("playback", "stop")
    report = playback.relay.report(playback.id)
    assert report["playback"]["sessions"] == 2 and not report["taught"]
    playback.relay.expect_chain()


@pytest.mark.timeout(120)
def test_what_was_not_published_is_shown_to_its_own_rooms_alone(playback):
    other = playback.relay.make_lesson(int(now()) - 60_000, int(now()) + 3_600_000, 1)
    live = subprocess.run(
        [relays.EXECUTABLE, "lesson", "resource", other["lesson"], playback.recorded["lesson"]], capture_output=True,
        text=True, timeout=30, env=os.environ | {
            "TONGKE_URL": playback.relay.base, "TONGKE_TOKEN": playback.relay.operator, "LC_ALL": "zh_CN.UTF-8"},
    )  # fmt: skip
    assert live.returncode == 1 and "直播课" in live.stderr, live
    with sqlite3.connect(playback.relay.data / "ledger.sqlite", timeout=20) as ledger:
        # Another room than any that had the lesson, and back.
        lesson = uuid.UUID(playback.id).bytes
        (own,) = ledger.execute("SELECT room FROM seats WHERE lesson = ? AND role = 'receiver'", (lesson,)).fetchone()
        ledger.execute(
            "INSERT INTO rooms (id, institution, number, name, equipment) "
            "SELECT ?, institution, 'X1', 'X1', equipment FROM rooms WHERE id = ?",
            (b"\1" * 16, own),
        )
        ledger.execute("UPDATE seats SET room = ? WHERE lesson = ? AND role = 'receiver'", (b"\1" * 16, lesson))
    assert "还没有发布" in playback.tongke("resource", playback.recorded["lesson"], code=1)
    with sqlite3.connect(playback.relay.data / "ledger.sqlite", timeout=20) as ledger:
        ledger.execute("UPDATE seats SET room = ? WHERE lesson = ? AND role = 'receiver'", (own, lesson))
    playback.tongke("resource", playback.recorded["lesson"])
    # Only those who take part conduct it.
    path = f"/api/v1/lessons/{playback.id}/playback"
    stranger = playback.recorded["whep"][0]["token"]
    refused = playback.relay.request("POST", path, stranger, json={"action": "play"})
    assert refused.status_code == 403, refused.text
    assert playback.relay.request("POST", path, json={"action": "play"}).status_code == 401


@pytest.mark.timeout(120)
def test_the_page_of_a_teaching_point_has_plain_controls(playback, chromium):
    playback.tongke("resource", playback.recorded["lesson"])
    context = chromium.new_context(locale="zh-CN")
    try:
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(playback.made["page"]["receivers"][0])
        turn = page.locator("#playback-turn")
        press = lambda name: page.locator(f"#playback-{name}").evaluate("button => button.click()")  # noqa: E731
        eventually(
            lambda: turn.is_visible() and turn.inner_text() == "暂停" and page.evaluate("stage.videoWidth") > 0, 30,
            lambda: f"it plays; {page.inner_text('body')}",
        )  # fmt: skip
        press("turn")
        eventually(lambda: playback.state()["state"] == "paused", 10, "it is paused")
        assert turn.inner_text() == "播放"
        # Longer than a page waits for a line that has gone silent: a picture that stands is no trouble.
        time.sleep(6)
        assert page.locator("#state").get_attribute("data-state") == "live", page.inner_text("body")
        assert playback.events("peerLost") == []
        press("forward")
        eventually(lambda: playback.state()["position"] > 28_000, 10, lambda: f"it is further on; {playback.state()}")
        press("back")
        eventually(lambda: playback.state()["position"] < 5_000, 10, lambda: f"it is back; {playback.state()}")
        press("turn")
        eventually(lambda: playback.state()["state"] == "playing", 10, "it goes on")
        # Somebody else's doing is told to the page.
        playback.tongke("playback", "pause")
        eventually(lambda: turn.inner_text() == "播放", 10, "the page hears of it")
        assert "/ 00:" in page.inner_text("#playback-position")
        assert not errors, errors
    finally:
        context.close()
