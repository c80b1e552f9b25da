"""The lesson outlives its connections: publishers and rooms drop, come back and take over."""

import json

import pytest

import watching
from waiting import eventually


def frames_from(viewer, at: float):
    return [frame for frame in viewer.frames() if frame.at >= at]


@pytest.mark.timeout(90)
def test_second_publisher_takes_over_while_the_first_still_sends(relay, ffmpeg, tab, python_peer, long_lesson):
    first = ffmpeg(relay.whip(), long_lesson)
    room = tab().watch(relay.whep)
    python = python_peer.watch(relay.whep, "H264")
    for viewer in (room, python):
        watching.expect_lesson(viewer, None, moved=60)
    first.expect_running()
    ffmpeg(relay.whip(), long_lesson)

    # The second one's strip starts at 0 again.
    for viewer in (room, python):
        eventually(
            lambda: any(b < a for a, b in strips(viewer)),
            15,
            lambda: f"the second publisher's pictures; {[f.strip for f in viewer.frames()[-10:]]}",
        )
        start = max(b.at for a, b in zip(viewer.frames(), viewer.frames()[1:]) if (b.strip or 0) < (a.strip or 0))
        watching.expect_lesson(viewer, None, since=start)
    gap = watching.longest_gap(room.frames()[10:])
    print(f"longest freeze in the room: {gap:.0f} ms")
    assert gap < 5_000
    assert room.call("states")[-1] == "connected", "the room's own connection is not touched"


def strips(viewer):
    values = [frame.strip for frame in viewer.frames() if frame.strip is not None]
    return zip(values, values[1:])


@pytest.mark.timeout(90)
def test_publisher_that_vanished_never_makes_the_lesson_busy(relay, ffmpeg, tab, long_lesson):
    first = ffmpeg(relay.whip(), long_lesson)
    room = tab().watch(relay.whep)
    watching.expect_lesson(room, None)
    # SIGKILL: no DELETE, no BYE, no close_notify.
    first.kill()
    gone = room.tab.page.evaluate("Date.now()")
    second = ffmpeg(relay.whip(), long_lesson)
    eventually(lambda: frames_from(room, gone + 500), 10, lambda: f"pictures again; {second.tail()}")
    start = eventually(
        lambda: next((b.at for a, b in pairs(room.frames()) if b.strip < a.strip), None), 10, "the new publisher's"
    )
    watching.expect_lesson(room, None, since=start)
    print(f"longest freeze in the room: {watching.longest_gap(room.frames()[10:]):.0f} ms")


def pairs(frames):
    read = [frame for frame in frames if frame.strip is not None]
    return zip(read, read[1:])


@pytest.mark.timeout(90)
def test_lead_that_reloads_its_page_comes_back(relay, tab, camera):
    page = tab()
    lead = page.publish(relay.whip(), codec="VP8").connected()
    room = tab().watch(relay.whep)
    watching.expect_lesson(room, camera.frames)
    lead.vanish()
    page.publish(relay.whip(), codec="H264").connected()
    back = page.page.evaluate("Date.now()")
    # Another codec than before: the pane switches without a new offer.
    watching.expect_lesson(room, camera.frames, since=back)
    assert room.statistics()["video"]["codec"] == "video/H264"


@pytest.mark.timeout(90)
def test_room_that_drops_and_returns_keeps_its_seat(relay, ffmpeg, gstreamer, python_peer, long_lesson):
    ffmpeg(relay.whip(), long_lesson)
    other = python_peer.watch(relay.whep, "H264")
    room = gstreamer.watch(relay.whep)
    watching.expect_lesson(room, None)
    # SIGKILL, then back with the same link.
    room.process.kill()
    room.process.wait(10)
    again = gstreamer.watch(relay.whep)
    watching.expect_lesson(again, None)
    watching.expect_lesson(other, None, moved=60)
    print(f"longest gap of the other room: {watching.longest_gap(other.frames()[5:]):.0f} ms")
    assert watching.longest_gap(other.frames()[5:]) < 2_000, "the other room noticed"
    again.leave()
    report = relay.report(relay.place["lesson"])
    receivers = [seat for seat in report["seats"] if seat["role"] == "receiver" and seat["joins"]]
    assert len(receivers) == 1, f"one seat whatever its connections: {json.dumps(receivers)}"
    assert receivers[0]["joins"] == 1 and receivers[0]["leaves"] == 0, receivers


@pytest.mark.timeout(60)
def test_lead_that_stops_is_told_to_the_room_and_may_start_again(relay, tab, camera):
    page = tab()
    room = tab().watch(relay.whep)
    for _ in range(3):
        lead = page.publish(relay.whip(), codec="VP8").connected()
        begun = page.page.evaluate("Date.now()")
        watching.expect_lesson(room, camera.frames, moved=15, since=begun)
        assert lead.leave() == 200
