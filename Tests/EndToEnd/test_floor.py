"""A running lesson is conducted from the terminal: sites are called, muted, paused, thrown out and banned, with real media.

Each publisher's pictures count from a number of its own and its sound is a tone of its own, so that every receiver can
tell whom it sees and hears.
"""

import json
import os
import subprocess
import threading
import time

import pytest
import requests

import media
import offers
import relay as relays
from waiting import eventually

#: Where each one's strips begin, and its tone in hertz.
LEAD, FIRST, SECOND = (0, 440), (100_000, 1_000), (200_000, 2_000)
NAMES = {LEAD: "lead", FIRST: "first", SECOND: "second"}


@pytest.fixture(scope="session")
def voices(files):
    """12 s of each, shown again and again."""
    return {
        who: media.write_encoded(files / f"{NAMES[who]}.mkv", 640, 360, 120, 10, 1, 300, first=who[0], tone=who[1]).path
        for who in NAMES
    }


class Lesson:
    """One lesson with its publishers, its watchers and its conductor at a terminal."""

    def __init__(self, relay, folder):
        now = int(time.time() * 1000)
        self.relay, self.folder = relay, folder
        self.made = relay.make_lesson(now - 60_000, now + 3_600_000, 3)
        self.id = self.made["lesson"]
        self.lead = self.made["whip"][0]["token"]
        self.sites = self.made["whep"]
        self.started = []

    def publish(self, path, feed: str, token: str) -> subprocess.Popen:
        url = f"{self.relay.base}/whip/lessons/{self.id}/{feed}"
        log = open(self.folder / f"publish-{len(self.started)}.log", "wb+")
        process = subprocess.Popen(
            [relays.EXECUTABLE, "publish", path, url, "--loop", "--json"], stdout=log, stderr=log,
            env=os.environ | {"TONGKE_TOKEN": token, "LC_ALL": "zh_CN.UTF-8"},
        )  # fmt: skip
        process.log = log
        self.started.append(process)
        return process

    def told(self, process) -> str:
        process.log.seek(0)
        return process.log.read().decode()

    def whep(self, token: str) -> dict:
        return {"url": f"{self.relay.base}/whep/lessons/{self.id}", "token": token}

    def tongke(self, *arguments, code: int = 0, token: str | None = None) -> str:
        environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "LC_ALL": "zh_CN.UTF-8"}
        environment |= {"TONGKE_URL": self.relay.base, "TONGKE_TOKEN": token or self.lead}
        command = [relays.EXECUTABLE, "lesson", arguments[0], self.id, *arguments[1:]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment)
        assert done.returncode == code, f"{command[1:]}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout + done.stderr

    def floor(self) -> dict:
        return json.loads(self.tongke("floor", "--json"))

    def site(self, number: int) -> dict:
        return self.floor()["sites"][number]

    def close(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait(10)


@pytest.fixture
def lesson(relay, tmp_path):
    each = Lesson(relay, tmp_path)
    yield each
    each.close()


def shows(peer, who, since: float) -> int:
    """How many pictures of somebody it has shown since a moment."""
    return sum(frame.at > since and frame.strip is not None and who[0] <= frame.strip < who[0] + 100_000 for frame in peer.frames())


def hears(peer, who, since: float) -> int:
    return sum(at > since and abs(hertz - who[1]) < 80 for at, hertz in list(peer.heard))


def now() -> float:
    return time.time() * 1000


def expect_called(watchers: list, who, since: float, others: list = ()) -> None:
    """All of them see and hear somebody, and none of those who must not does."""
    for peer in watchers:
        eventually(
            lambda: shows(peer, who, since) >= 5 and hears(peer, who, since) >= 10, 10,
            lambda: f"{NAMES[who]} is seen ({shows(peer, who, since)}) and heard ({hears(peer, who, since)})",
        )  # fmt: skip
    for peer in others:
        assert (shows(peer, who, since), hears(peer, who, since)) == (0, 0), f"{NAMES[who]} is given its own"


def expect_nothing(watchers: list, seconds: float = 1.5) -> None:
    """After what is on its way has come, no picture and no sound of anybody does."""
    time.sleep(1)
    since = now()
    time.sleep(seconds)
    for peer in watchers:
        for who in NAMES:
            assert (shows(peer, who, since), hears(peer, who, since)) == (0, 0), f"{NAMES[who]} still comes"


def switch_milliseconds(lesson, peer, who, *arguments) -> float:
    """From the command's start to the first picture of somebody."""
    start = now()
    lesson.tongke(*arguments)
    answered = now() - start
    eventually(lambda: shows(peer, who, start), 10, f"{NAMES[who]} is seen")
    first = next(f.at for f in peer.frames() if f.at > start and f.strip is not None and f.strip // 100_000 == who[0] // 100_000)
    print(f"{arguments}: answered after {answered:.0f} ms, first picture after {first - start:.0f} ms")
    return first - start


def open_class(lesson, voices, python_peer):
    """The lead and two sites send; the lead and both sites watch whoever is called."""
    lesson.publish(voices[LEAD], "camera", lesson.lead)
    senders = [lesson.publish(voices[who], "site", lesson.sites[at]["token"]) for at, who in enumerate([FIRST, SECOND])]
    lead = python_peer.watch(lesson.whep(lesson.lead), "H264")
    rooms = [python_peer.watch(lesson.whep(site["token"]), "H264") for site in lesson.sites[:2]]
    for room in rooms:
        room.session.show("called")
    eventually(
        lambda: [site["connected"] and site["sending"] for site in lesson.floor()["sites"]] == [True, True, False], 20,
        lambda: lesson.floor(),
    )  # fmt: skip
    for peer in [lead, *rooms]:
        peer.connected()
    return senders, lead, rooms


@pytest.mark.timeout(180)
def test_a_called_site_is_seen_and_heard_and_no_other(lesson, voices, python_peer):
    _, lead, rooms = open_class(lesson, voices, python_peer)
    first, second = (site["site"] for site in lesson.sites[:2])
    # Who only sends, and who only watches the stage: neither is affected by whoever is called.
    lesson.publish(voices[SECOND], "site", lesson.sites[2]["token"])
    stage = python_peer.watch(lesson.whep(lesson.sites[0]["token"]), "H264")
    expect_nothing([lead, *rooms])

    since = now()
    times = [switch_milliseconds(lesson, lead, FIRST, "call", first)]
    expect_called([lead, rooms[1]], FIRST, since, [rooms[0]])

    lesson.tongke("mute", first)
    time.sleep(1)
    since = now()
    time.sleep(1.5)
    for peer in [lead, rooms[1]]:
        assert hears(peer, FIRST, since) == 0 and shows(peer, FIRST, since) >= 5, "the picture goes on without the sound"
    assert "静音" in lesson.tongke("call", first)
    since = now()
    lesson.tongke("unmute", first)
    expect_called([lead, rooms[1]], FIRST, since)

    since = now()
    times.append(switch_milliseconds(lesson, lead, SECOND, "call", second))
    expect_called([lead, rooms[0]], SECOND, since, [rooms[1]])
    time.sleep(0.5)
    settled = now()
    time.sleep(1)
    assert shows(lead, FIRST, settled) == hears(lead, FIRST, settled) == 0, "one is called at a time"

    lesson.tongke("pause")
    expect_nothing([lead, *rooms])
    assert "已暂停" in lesson.tongke("call", first, code=1)
    hand = {"act": "raiseHand"}
    path = f"/api/v1/lessons/{lesson.id}/floor"
    assert lesson.relay.request("POST", path, lesson.sites[0]["token"], json=hand).status_code == 409
    assert lesson.relay.request("POST", path, lesson.sites[0]["token"], json={"act": "resume"}).status_code == 403
    lesson.tongke("resume")
    expect_nothing([lead, *rooms], 0.5)
    raised = lesson.relay.request("POST", path, lesson.sites[0]["token"], json=hand)
    assert raised.status_code == 200 and raised.json()["sites"][0]["hand"] == 1, raised.text
    times.append(switch_milliseconds(lesson, lead, FIRST, "call", first))
    assert lesson.floor()["hands"] == [], "who is called need not wait any longer"
    since = now()
    lesson.tongke("uncall")
    expect_nothing([lead, *rooms])
    print(f"measured switch times: {', '.join(f'{each:.0f} ms' for each in times)}")

    # The stage went on for whoever watched it, and was all it had.
    assert shows(stage, LEAD, since) > 10 and hears(stage, LEAD, since) > 10
    assert not any(shows(stage, who, 0) or hears(stage, who, 0) for who in (FIRST, SECOND))
    lesson.relay.end_lesson(lesson.id)
    files = lesson.relay.resources(lesson.id)
    assert len(files) == 1 and "camera" in files[0]["path"], f"what sites send back is not recorded: {files}"
    seats = {seat["seat"]: seat for seat in lesson.relay.report(lesson.id)["seats"]}
    assert seats[lesson.sites[0]["seat"]]["attendanceSeconds"] > 5
    sender = seats[lesson.sites[2]["seat"]]
    assert (sender["joins"], sender["attendanceSeconds"]) == (0, 0), "sending back is not being there"
    lesson.relay.expect_chain()


@pytest.mark.timeout(180)
def test_who_is_thrown_out_is_told_why_and_a_ban_outlives_the_relay(lesson, voices, python_peer, start_relay):
    senders, lead, rooms = open_class(lesson, voices, python_peer)
    first, second = (site["site"] for site in lesson.sites[:2])
    news = []

    def follow():
        headers = {"Authorization": f"Bearer {lesson.sites[0]['token']}", "Accept": "text/event-stream"}
        url = f"{lesson.relay.base}/api/v1/lessons/{lesson.id}/events"
        try:
            with requests.get(url, headers=headers, stream=True, timeout=60) as events:
                for line in events.iter_lines(decode_unicode=True):
                    news.append(line)
        except requests.RequestException:
            pass  # The relay is killed in the end.

    threading.Thread(target=follow, daemon=True).start()
    lesson.tongke("call", first)
    expect_called([lead, rooms[1]], FIRST, 0, [rooms[0]])
    seat = lesson.sites[0]["seat"]
    eventually(lambda: any(f'"called":"{seat}"' in line for line in news), 3, lambda: f"the call is told: {news}")

    # Without its video it sends nothing; what tries again is told why and gives up.
    lesson.tongke("grant", second, "video", "off")
    assert senders[1].wait(20) == 1 and "没有允许本教室" in lesson.told(senders[1])
    assert "grant" in lesson.tongke("call", second, code=1)
    lesson.tongke("grant", second, "video", "on")
    lesson.publish(voices[SECOND], "site", lesson.sites[1]["token"])
    eventually(lambda: lesson.site(1)["sending"], 10, lambda: lesson.floor())
    # Without its audio it is seen and not heard.
    lesson.tongke("grant", second, "audio", "off")
    since = now()
    assert "语音" in lesson.tongke("call", second)
    eventually(lambda: shows(lead, SECOND, since) >= 10, 10, "the picture alone")
    assert hears(lead, SECOND, since) == 0

    # Thrown out, it may come back, and does.
    lesson.tongke("eject", first)
    eventually(lambda: rooms[0].ended == {"audio", "video"}, 5, rooms[0].statistics)
    eventually(lambda: lesson.site(0)["sending"], 20, lambda: lesson.floor())
    again = python_peer.watch(lesson.whep(lesson.sites[0]["token"]), "H264").connected()

    lesson.tongke("ban", first, "--reason", "课堂秩序")
    eventually(lambda: again.ended == {"audio", "video"}, 5, again.statistics)
    assert senders[0].wait(20) == 1 and "课堂秩序" in lesson.told(senders[0])
    eventually(lambda: any("课堂秩序" in line for line in news), 3, lambda: f"the site is told why: {news}")
    assert "unban" in lesson.tongke("call", first, code=1)
    unknown = lesson.tongke("call", "P99-9", code=1)
    assert all(site["site"] in unknown for site in lesson.sites), "the lesson's sites are listed"

    def knock(site: int, kind: str = "whep", feed: str = ""):
        direction = "recvonly" if kind == "whep" else "sendonly"
        return lesson.relay.request(
            "POST", f"/{kind}/lessons/{lesson.id}{feed}", lesson.sites[site]["token"],
            data=offers.text(offers.lines(direction)), headers={"Content-Type": "application/sdp", "Accept-Language": "zh-CN"},
        )  # fmt: skip

    def expect_banned():
        for refused in [knock(0), knock(0, "whip", "/site")]:
            assert refused.status_code == 403 and "课堂秩序" in refused.json()["detail"], refused.text
            assert refused.json()["type"] == "urn:tongke:problem:banned"

    expect_banned()
    lesson.tongke("pause")
    lesson.relay.kill()
    lesson.relay = start_relay(lesson.relay.folder)
    expect_banned()
    assert lesson.floor()["paused"] and lesson.site(0)["banned"] and not lesson.site(1)["audio"]
    assert knock(1).status_code == 201 and knock(1, "whip", "/site").status_code == 409
    lesson.tongke("resume")
    lesson.tongke("unban", first)
    assert knock(0).status_code == 201 and knock(0, "whip", "/site").status_code == 201
    lesson.relay.expect_chain()


@pytest.mark.timeout(240)
def test_panes_show_the_called_beside_the_stage_and_sites_to_the_lead_alone(lesson, voices, python_peer, tab):
    senders, lead, rooms = open_class(lesson, voices, python_peer)
    first, second = (site["site"] for site in lesson.sites[:2])
    # Four lines, and nobody has to be asked: stage and called site at once.
    wide = tab().watch(lesson.whep(lesson.sites[2]["token"]), panes=2).connected()
    eventually(lambda: shows(wide, LEAD, 0) > 5 and wide.arrivals().get("0", 0) > 50, 10, wide.arrivals)
    silent = wide.arrivals()
    assert not silent.get("2") and not silent.get("3") and not shows(wide, FIRST, 0), silent
    lesson.tongke("call", first)
    since = now()
    expect_called([lead], FIRST, since)
    eventually(lambda: shows(wide, FIRST, since) > 5 and wide.arrivals().get("2", 0) > 50, 10, wide.arrivals)
    settled, before = now(), wide.arrivals()
    eventually(
        lambda: shows(wide, LEAD, settled) > 5 and shows(wide, FIRST, settled) > 5
        and all(wide.arrivals()[mid] > before[mid] + 20 for mid in "0123"), 10, wide.arrivals,
    )  # fmt: skip

    # The lead looks at a site that is not called, and hears it only when it is.
    seat = f"seat:{lesson.sites[1]['seat']}"
    lead.session.show("none", ["0"])
    lead.session.show(seat, ["1"])
    since = now()
    eventually(lambda: shows(lead, SECOND, since) >= 5, 10, lead.statistics)
    assert hears(lead, SECOND, 0) == 0 and shows(lead, FIRST, since + 1_000) == 0

    def wish(peer, pane: str, mid: str):
        return lesson.relay.request(
            "PUT", peer.session.links["urn:tongke:panes"], peer.session.token, json=[{"mid": mid, "show": pane}]
        )

    sound = wish(lead, seat, "0")
    assert sound.status_code == 422 and sound.json()["type"].endswith("soundByCall"), sound.text
    assert wish(rooms[0], seat, "1").status_code == 403, "sites do not look at each other"
    assert wish(lead, "seat:00000000-0000-7000-8000-000000000000", "1").status_code == 404

    # From a terminal as well: the second site's is what it is given of the first.
    def receive(pane: str) -> dict:
        done = subprocess.run(
            [relays.EXECUTABLE, "receive", lesson.whep("")["url"], "--pane", pane, "--json", "--duration", "4"],
            capture_output=True, text=True, timeout=30, env=os.environ | {"TONGKE_TOKEN": lesson.sites[1]["token"]},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    given = receive("called")
    assert given["framesComplete"] > 10 and given["soundMilliseconds"] > 1_000, given
    lesson.tongke("call", second)
    own = receive("called")
    assert (own["framesComplete"], own["soundMilliseconds"]) == (0, 0), f"its own is not given back: {own}"

    # Who is called and goes for good is called no longer: the lead would wait for nobody.
    senders[1].terminate()
    rooms[1].leave()
    eventually(lambda: not lesson.site(1)["connected"], 10, lambda: lesson.floor())
    assert lesson.site(1)["called"], "a short absence ends no call"
    eventually(lambda: lesson.floor().get("called") is None, 75, lambda: lesson.floor(), every=1)
    assert lesson.relay.report(lesson.id)["state"] == "live"
