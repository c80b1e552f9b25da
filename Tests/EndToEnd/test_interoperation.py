"""Real clients publish and watch: pictures advance, and each carries the number that was painted into it."""

import pytest

import watching
from waiting import eventually


@pytest.mark.timeout(90)
@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_chromium_to_chromium_aiortc_and_gstreamer(codec, relay, tab, python_peer, gstreamer, camera):
    lead = tab().publish(relay.whip(), codec=codec).connected()
    room = tab().watch(relay.whep)
    python = python_peer.watch(relay.whep)
    other = gstreamer.watch(relay.whep, codec)

    watching.expect_lesson(room, camera.frames)
    watching.expect_lesson(python, camera.frames)
    watching.expect_lesson(other, camera.frames)

    statistics = room.statistics()
    assert statistics["video"]["codec"] == f"video/{codec}"
    assert statistics["audio"]["codec"] == "audio/opus"
    assert statistics["audio"]["totalAudioEnergy"] > 0, "the sound is silent"
    assert python.audio_frames > 25
    assert lead.statistics()["video"]["framesEncoded"] > 30
    assert [other.leave(), room.leave(), lead.leave()] == [200, 200, 200]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_chromium_simulcast_to_chromium_aiortc_and_gstreamer(codec, relay, tab, python_peer, gstreamer, camera):
    lead = tab().publish(
        relay.whip(), codec=codec, rids=[["l", 4], ["m", 2], ["h", 1]], width=960, height=540
    ).connected()
    room = tab().watch(relay.whep)
    python = python_peer.watch(relay.whep)
    other = gstreamer.watch(relay.whep, codec)

    for viewer in (room, python, other):
        watching.expect_lesson(viewer, camera.frames)
    assert {"video.l", "video.m", "video.h"} <= set(lead.statistics()), "three layers were offered"
    # The line is good, so in time the best layer comes, at a key frame and without a step back.
    eventually(
        lambda: room.frames()[-1].height == 540,
        40,
        lambda: f"the top layer; {[(f.width, f.height) for f in room.frames()[-3:]]}, {lead.statistics()}",
        every=0.2,
    )
    switched = room.frames()[-1].at
    watching.expect_lesson(room, camera.frames, since=switched)
    for viewer in (python, other):
        watching.expect_lesson(viewer, camera.frames, moved=60)


@pytest.mark.timeout(60)
def test_chromium_trickles_its_candidates(relay, tab, camera):
    lead = tab().publish(relay.whip(), codec="VP8")
    room = tab().watch(relay.whep)
    for peer in (lead, room):
        peer.connected()
        assert peer.call("trickle") == {"status": 204, "body": ""}
    watching.expect_lesson(room, camera.frames)


@pytest.mark.timeout(60)
def test_ffmpeg_to_chromium_and_aiortc(relay, ffmpeg, tab, python_peer, long_lesson):
    lead = ffmpeg(relay.whip(), long_lesson)
    room = tab().watch(relay.whep)
    python = python_peer.watch(relay.whep)
    watching.expect_lesson(room, None)
    watching.expect_lesson(python, None)
    lead.expect_running()
    assert room.statistics()["audio"]["totalAudioEnergy"] > 0


@pytest.mark.timeout(60)
def test_ffmpeg_takes_the_first_of_two_candidates(start_relay, ffmpeg, python_peer, long_lesson):
    relay = start_relay(config={"announce": ["127.0.0.1", "192.0.2.77"]})
    lead = ffmpeg(relay.whip(), long_lesson)
    python = python_peer.watch(relay.whep)
    hosts = [line.split()[4] for line in python.session.answer.splitlines() if line.startswith("a=candidate:")]
    assert list(dict.fromkeys(hosts)) == ["127.0.0.1", "192.0.2.77"]
    watching.expect_lesson(python, None)
    lead.expect_running()


@pytest.mark.timeout(60)
def test_gstreamer_to_gstreamer_and_chromium(relay, gstreamer, tab, long_lesson):
    lead = gstreamer.publish(relay.whip(), long_lesson).connected()
    other = gstreamer.watch(relay.whep)
    room = tab().watch(relay.whep)
    watching.expect_lesson(other, None)
    watching.expect_lesson(room, None)
    assert [other.leave(), lead.leave()] == [200, 200]


@pytest.mark.timeout(60)
def test_aiortc_to_aiortc_and_chromium(relay, python_peer, tab):
    lead = python_peer.publish(relay.whip(), codec="VP8").connected()
    python = python_peer.watch(relay.whep)
    room = tab().watch(relay.whep)
    watching.expect_lesson(python, None)
    watching.expect_lesson(room, None)
    assert room.statistics()["video"]["codec"] == "video/VP8"
    assert [python.leave(), lead.leave()] == [200, 200]
