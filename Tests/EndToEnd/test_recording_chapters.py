"""What happens in a lesson is found again in its recording: by other software in the MP4, and as WebVTT beside it."""

import json
import subprocess
import time

import pytest

import probing
import watching
from waiting import eventually


def chapters_of(path) -> list[dict]:
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-show_chapters", "-of", "json", str(path)], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["chapters"]


@pytest.mark.timeout(120)
def test_markers_and_calls_become_chapters(relay, ffmpeg, python_peer, short_lesson):
    now = int(time.time() * 1000)
    lesson = relay.make_lesson(now - 60_000, now + 3_600_000, 2)
    identifier = lesson["lesson"]
    feeds = {each["feed"]: each for each in lesson["whip"]}
    room = python_peer.watch(lesson["whep"][0], "H264")
    publisher = ffmpeg(feeds["camera"], short_lesson)
    watching.expect_lesson(room, None)
    path = f"/api/v1/lessons/{identifier}"

    def ask(method, where, **body):
        response = relay.request(method, path + where, relay.operator, json=body)
        assert response.status_code in (200, 204), f"{where}: {response.status_code} {response.text[:300]}"

    time.sleep(1)
    ask("POST", "/markers", label="例题二")
    time.sleep(1.5)
    ask("POST", "/floor", act="call", seat=lesson["whep"][0]["seat"])
    publisher.wait(30)
    relay.end_lesson(identifier)
    resource = relay.resources(identifier)[0]
    film = relay.file(resource)
    found = probing.probe(film)
    assert found.codecs[:2] == ["h264", "aac"], "chapters change nothing else"
    chapters = chapters_of(film)
    titles = [each["tags"]["title"] for each in chapters]
    print(f"chapters: {titles}")
    assert len(titles) == 3 and titles[0] == "古诗" and titles[1] == "例题二" and titles[2]
    starts = [float(each["start_time"]) for each in chapters]
    assert starts[0] == 0 and 0.5 < starts[1] < starts[2] < found.duration
    assert 1 < starts[2] - starts[1] < 4
    assert abs(float(chapters[-1]["end_time"]) - found.duration) < 0.5

    def beside():
        return next((each for each in relay.lesson(identifier)["resources"] if each["kind"] == "chapters"), None)

    side = eventually(beside, 10, "chapters beside the recording")
    assert side["sha256"] == probing.sha256(relay.file(side)) and not side["containsFaces"]
    text = relay.file(side).read_text()
    assert text.startswith("WEBVTT\n\n1\n00:00:00.000 --> ") and "例题二" in text
    assert resource["quality"]["sizes"] == [{"at": 0, "width": 640, "height": 360}]
    assert resource["quality"]["codecs"] == ["h264"]


@pytest.mark.timeout(90)
def test_what_a_site_sends_back_is_not_recorded(relay, ffmpeg, python_peer, short_lesson):
    """Neither course nor class has said so."""
    now = int(time.time() * 1000)
    lesson = relay.make_lesson(now - 60_000, now + 3_600_000, 2)
    feeds = {each["feed"]: each for each in lesson["whip"]}
    back = lesson["whep"][0]
    room = python_peer.watch(back, "H264")
    publisher = ffmpeg(feeds["camera"], short_lesson)
    watching.expect_lesson(room, None)
    site = ffmpeg({"url": back["site"], "token": back["token"]}, short_lesson)
    publisher.wait(30)
    site.kill()
    relay.end_lesson(lesson["lesson"])
    relay.resources(lesson["lesson"])
    eventually(lambda: relay.lesson(lesson["lesson"])["jobs"] == [], 20, "nothing is left to be done")
    paths = [each["path"] for each in relay.lesson(lesson["lesson"])["resources"]]
    assert sorted(each.split("/")[-1] for each in paths) == ["camera.jpg", "camera.mp4"]
