"""The executable as a client, and what it says of itself."""

import json
import subprocess

import pytest

import media
import probing
import relay as relays
import watching


@pytest.mark.timeout(60)
def test_publish_brings_a_file_with_b_frames_and_aac_into_the_lesson(relay, tab, files, short_lesson):
    source = files / "b-frames.mp4"
    command = [media.FFMPEG, "-v", "error", "-y", "-i", str(short_lesson.path), "-c:v", "libx264", "-profile:v", "main"]
    command += ["-bf", "2", "-g", "30", "-preset", "ultrafast", "-c:a", "aac", str(source)]
    subprocess.run(command, check=True, timeout=60)
    place = relay.whip()
    publisher = subprocess.Popen(
        [relays.EXECUTABLE, "publish", str(source), place["url"], "--token", place["token"], "--loop"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        room = tab().watch(relay.whep)
        watching.expect_lesson(room, short_lesson.frames, moved=60)
        assert room.statistics()["audio"]["totalAudioEnergy"] > 0
    finally:
        publisher.terminate()
        publisher.communicate(timeout=15)


@pytest.mark.timeout(60)
def test_receive_writes_a_file(relay, ffmpeg, long_lesson, tmp_path):
    ffmpeg(relay.whip(), long_lesson)
    target = tmp_path / "received.mp4"
    arguments = ["receive", relay.whep["url"], "--token", relay.whep["token"], "--output", str(target)]
    done = relays.run(*arguments, "--duration", "6", "--json", seconds=40)
    assert done.returncode == 0, done.stderr
    found = probing.probe(target)
    print(f"received: {found}")
    assert "h264" in found.codecs and found.video_frames >= 60
    json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.timeout(60)
def test_doctor_says_a_line_for_each_finding(tmp_path):
    done = relays.run("doctor", "--data", str(tmp_path / "data"))
    assert done.returncode in (0, 1), done.stderr
    assert len(done.stdout.strip().splitlines()) >= 6


@pytest.mark.timeout(30)
def test_report_of_an_unknown_lesson_is_refused(relay):
    done = relay.run("report", "lesson", "00000000-0000-7000-8000-000000000000")
    assert done.returncode == 1 and done.stderr.strip()
