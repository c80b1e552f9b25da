"""A lesson is recorded, becomes files that other software reads, and is accounted for."""

import json
import time

import pytest

import media
import probing
import relay as relays
import watching
from waiting import eventually


def open_lesson(relay, receivers: int = 2) -> dict:
    now = int(time.time() * 1000)
    return relay.make_lesson(now - 60_000, now + 3_600_000, receivers)


def camera_of(lesson: dict) -> dict:
    return next(each for each in lesson["whip"] if each["feed"] == "camera")


@pytest.mark.timeout(90)
def test_recording_holds_every_picture_and_the_sound(relay, ffmpeg, python_peer, short_lesson):
    lesson = open_lesson(relay)
    identifier = lesson["lesson"]
    room = python_peer.watch(lesson["whep"][0], "H264")
    publisher = ffmpeg(camera_of(lesson), short_lesson)
    watching.expect_lesson(room, None)
    publisher.wait(30)
    relay.end_lesson(identifier)
    resource = relay.resources(identifier)[0]
    path = relay.file(resource)

    found = probing.probe(path)
    print(f"recording: {found}")
    assert resource["mediaType"] == "video/mp4"
    assert found.codecs[0] == "h264" and "aac" in found.codecs and set(found.codecs) <= {"h264", "aac", "opus"}
    assert (found.width, found.height) == (640, 360)
    assert abs(found.duration - short_lesson.seconds) <= 0.5
    assert abs(found.video_frames - short_lesson.frames) <= short_lesson.frames * 0.01
    assert all(abs(each - short_lesson.seconds) <= 0.5 for each in found.audio_durations)
    # ffmpeg sends its first half second at once; pictures and sound keep their distances all the same.
    picture = 1 / short_lesson.rate
    assert all(picture - 0.02 < each < picture + 0.02 for each in probing.spacing(path, "v:0")), "pictures are squeezed"
    assert all(0.01 < each < 0.04 for each in probing.spacing(path, "a:0")), "sound is squeezed"
    assert abs(resource["durationMilliseconds"] / 1000 - found.duration) <= 0.1
    assert resource["sha256"] == probing.sha256(path)
    boxes = probing.boxes(path)
    assert boxes.index("moov") < boxes.index("mdat"), "the file can be played while it is fetched"
    strips = media.strips_of(path, 640, 360)
    assert None not in strips and strips == sorted(set(strips)), "each picture once and in order"

    relay.expect_chain()
    report = relay.report(identifier)
    assert report["state"] in ("ended", "resource")
    receivers = [seat for seat in report["seats"] if seat["role"] == "receiver"]
    assert sorted(seat["attendanceSeconds"] > 5 for seat in receivers) == [False, True], f"one room came: {receivers}"


@pytest.mark.timeout(90)
def test_vp8_lesson_becomes_webm(relay, python_peer):
    lesson = open_lesson(relay)
    publisher = python_peer.publish(camera_of(lesson), codec="VP8").connected()
    room = python_peer.watch(lesson["whep"][0], "VP8")
    watching.expect_lesson(room, None, moved=75)
    publisher.leave()
    relay.end_lesson(lesson["lesson"])
    resource = relay.resources(lesson["lesson"])[0]
    assert resource["mediaType"] == "video/webm"
    found = probing.probe(relay.file(resource))
    assert found.codecs == ["vp8"] and found.video_frames >= 70
    strips = [each for each in media.strips_of(relay.file(resource), 640, 360) if each is not None]
    assert strips == sorted(set(strips))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_simulcast_is_recorded_in_its_best_layer(codec, start_relay, tab, camera):
    relay = start_relay(config={"recordAlwaysLive": True})
    lead = tab().publish(relay.whip(), codec=codec, rids=[["l", 4], ["m", 2], ["h", 1]], width=960, height=540)
    lead.connected()
    room = tab().watch(relay.whep)
    eventually(
        lambda: room.frames() and room.frames()[-1].height == 540, 40, lambda: f"the top layer; {lead.statistics()}", 0.2
    )
    watching.expect_lesson(room, camera.frames, since=room.frames()[-1].at)
    lead.leave()
    path = relay.file(relay.resources(relay.place["lesson"])[0])
    found = probing.probe(path)
    print(f"recording: {found}")
    strips = media.strips_of(path, found.width, found.height)
    read = [each for each in strips if each is not None]
    assert len(read) >= 0.95 * len(strips)
    assert all(step <= camera.frames // 4 for step in watching.steps(read, camera.frames)), f"out of order: {read}"
    assert probing.heights(path)[-1] == 540, "the best layer there was at the end"


@pytest.mark.timeout(90)
def test_stretch_of_an_always_live_lesson_becomes_a_file(start_relay, ffmpeg, short_lesson):
    relay = start_relay(config={"recordAlwaysLive": True})
    publisher = ffmpeg(relay.whip(), short_lesson)
    publisher.wait(30)
    resource = relay.resources(relay.place["lesson"])[0]
    found = probing.probe(relay.file(resource))
    assert abs(found.video_frames - short_lesson.frames) <= short_lesson.frames * 0.01


@pytest.mark.timeout(120)
def test_kill_loses_at_most_a_second_and_the_next_start_makes_the_file(start_relay, ffmpeg, python_peer, long_lesson):
    config = {"recordAlwaysLive": True}
    relay = start_relay(config=config)
    ffmpeg(relay.whip(), long_lesson)
    room = python_peer.watch(relay.whep, "H264")
    watching.expect_lesson(room, None, moved=105)
    before = relay.report(relay.place["lesson"])
    last = room.frames()[-1].strip
    relay.kill()

    again = start_relay(folder=relay.folder, config=config)
    again.expect_chain()
    after = again.report(relay.place["lesson"])
    assert after["events"] >= before["events"], "an acknowledged event is gone"
    resource = again.resources(relay.place["lesson"])[0]
    path = again.file(resource)
    probing.probe(path)
    strips = media.strips_of(path, 640, 360)
    assert None not in strips and strips == sorted(set(strips))
    lost = (last - strips[-1]) / long_lesson.rate
    print(f"lost to kill -9: {max(0, lost):.2f} s of {last / long_lesson.rate:.1f} s")
    # The room's last picture left the relay, so what it had may be at most a second older on the disk.
    assert lost <= 1.0
    assert strips[0] <= 2, "the beginning is there"


@pytest.mark.timeout(90)
def test_lesson_goes_on_after_kill_and_its_resources_hold_both_stretches(start_relay, ffmpeg, python_peer, short_lesson):
    relay = start_relay()
    lesson = open_lesson(relay)
    publisher = ffmpeg(camera_of(lesson), short_lesson, loop=True)
    room = python_peer.watch(lesson["whep"][0], "H264")
    watching.expect_lesson(room, short_lesson.frames, moved=60)
    relay.kill()
    publisher.kill()
    again = start_relay(folder=relay.folder)
    moved = {"url": camera_of(lesson)["url"].replace(relay.base, again.base), "token": camera_of(lesson)["token"]}
    ffmpeg(moved, short_lesson).wait(30)
    again.end_lesson(lesson["lesson"])

    def both():
        resources = again.resources(lesson["lesson"])
        return sum(each["durationMilliseconds"] for each in resources) / 1000 > short_lesson.seconds + 2

    eventually(both, 30, lambda: f"both stretches; {again.lesson(lesson['lesson'])}", every=0.3)
    again.expect_chain()


@pytest.mark.timeout(90)
def test_sigterm_finishes_recordings_and_tells_clients(start_relay, ffmpeg, python_peer, short_lesson):
    config = {"recordAlwaysLive": True}
    relay = start_relay(config=config)
    ffmpeg(relay.whip(), short_lesson, loop=True)
    room = python_peer.watch(relay.whep, "H264")
    watching.expect_lesson(room, short_lesson.frames, moved=60)
    last = room.frames()[-1].strip
    started = time.monotonic()
    assert relay.stop() == 0, relay.tail()
    print(f"ended {time.monotonic() - started:.1f} s after SIGTERM")
    eventually(lambda: room.ended == {"audio", "video"}, 5, "the room is told that the relay ends")

    again = start_relay(folder=relay.folder, config=config)
    resource = again.resources(relay.place["lesson"], seconds=20)[0]
    strips = media.strips_of(again.file(resource), 640, 360)
    assert strips[-1] >= last - 2, "nothing that was received is missing"
    again.expect_chain()


@pytest.mark.timeout(60)
def test_backup_of_a_running_relay_restores_to_the_same_figures(start_relay, ffmpeg, python_peer, short_lesson, tmp_path):
    relay = start_relay()
    lesson = open_lesson(relay)
    room = python_peer.watch(lesson["whep"][0], "H264")
    ffmpeg(camera_of(lesson), short_lesson).wait(30)
    watching.expect_lesson(room, None)
    room.leave()
    relay.end_lesson(lesson["lesson"])
    relay.resources(lesson["lesson"])
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    done = relay.run("backup", str(backup))
    assert done.returncode == 0, done.stderr
    relay.expect_alive()
    done = relays.run("restore", str(backup), "--data", str(restored))
    assert done.returncode == 0, done.stderr
    copy = relays.run("report", "lesson", lesson["lesson"], "--json", "--data", str(restored))
    assert copy.returncode == 0, copy.stderr
    assert json.loads(copy.stdout) == relay.report(lesson["lesson"])
    assert relays.run("report", "verify", "--data", str(restored)).returncode == 0
    # Neither the ledger of a relay at work nor anything that is no backup.
    assert relays.run("restore", str(backup), "--data", str(relay.data)).returncode == 1
    relay.expect_alive()
    nonsense = tmp_path / "nonsense"
    nonsense.write_bytes(backup.read_bytes()[:4_000] + b"x" * 4_000)
    assert relays.run("restore", str(nonsense), "--data", str(restored)).returncode == 1
    assert relays.run("report", "verify", "--data", str(restored)).returncode == 0
