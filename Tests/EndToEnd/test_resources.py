"""A recorded lesson is described, reviewed, published, found, played and sought in Chromium, and taken away, by the
command line alone, as the walk-through of README.md shows it."""

import hashlib
import json
import os
import sqlite3
import subprocess
import time
import xml.etree.ElementTree as xml
import zipfile

import pytest
import requests

import probing
import relay as relays
from waiting import eventually

LOM = "{http://ltsc.ieee.org/xsd/LOM}"
TITLE = '茉莉花 <b>&"一\'课"</b> ]]>'


class Desk:
    """The command line of one person."""

    def __init__(self, relay, role: str, scope: str, person: int):
        done = relay.run(
            "token", "issue", "--role", role, "--scope", scope, "--person", f"00000000-0000-4000-8000-{person:012}"
        )
        assert done.returncode == 0, done.stderr
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(relay.folder), "LC_ALL": "zh_CN.UTF-8",
            "TONGKE_URL": relay.base, "TONGKE_TOKEN": done.stdout.strip(),
        }  # fmt: skip

    def run(self, *arguments, language="zh_CN.UTF-8") -> subprocess.CompletedProcess:
        return subprocess.run(
            [relays.EXECUTABLE, "resource", *map(str, arguments)], capture_output=True, text=True, timeout=60,
            env=self.environment | {"LC_ALL": language},
        )  # fmt: skip

    def __call__(self, *arguments, code=0) -> str:
        done = self.run(*arguments)
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def json(self, *arguments) -> dict:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def lesson(relay, ffmpeg, short_lesson):
    """The identifier of a lesson that was taught and recorded."""
    now = int(time.time() * 1000)
    made = relay.make_lesson(now - 60_000, now + 3_600_000, 2, title="三年级音乐")
    camera = next(each for each in made["whip"] if each["feed"] == "camera")
    ffmpeg(camera, short_lesson).wait(30)
    relay.end_lesson(made["lesson"])
    relay.resources(made["lesson"])
    return made["lesson"]


def rows(relay, sql: str) -> list:
    with sqlite3.connect(f"file:{relay.data}/ledger.sqlite?mode=ro", uri=True) as ledger:
        return ledger.execute(sql).fetchall()


def files_of(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.timeout(180)
def test_from_recorded_to_found_played_and_withdrawn(relay, lesson, chromium, short_lesson):
    teacher = Desk(relay, "leadTeacher", f"lesson:{lesson}", 1)
    reviewer = Desk(relay, "reviewer", "city", 2)
    parent = Desk(relay, "platform", "city", 3)

    shown = teacher.json("show", lesson)
    assert shown["state"] == "recorded" and shown["title"] == "三年级音乐" and "chapter" in shown["missing"]
    assert "没有找到" in parent("list"), "what is not published is for its school"
    teacher("edit", lesson, "--subject", "音乐", "--grades", "3", "--lesson-name", "茉莉花", "--keywords", "民歌,江苏")
    assert "批准" in teacher("publish", lesson, code=1)
    submitted = teacher.run("submit", lesson)
    assert submitted.returncode == 0 and "版本" in submitted.stderr, "what is missing is told"
    teacher("approve", lesson, "--for", "school", code=1)
    reviewer("approve", lesson, "--for", "city")
    assert teacher.json("publish", lesson)["visibility"] == "city"
    assert "茉莉花" not in parent("list", "美术")
    for words in (["茉莉"], ["民歌", "音乐"], ["江苏", "--grade", "3", "--subject", "音乐"]):
        assert [each["id"] for each in parent.json("list", *words)["rows"]] == [shown["id"]], words
    english = teacher.run("show", lesson, language="en_US.UTF-8")
    assert "published" in english.stdout and "已发布" in teacher("show", lesson)

    # Chromium plays and seeks by the link, which opens nothing once the resource is withdrawn.
    link = json.loads(parent("link", lesson, "--minutes", "10", "--json"))
    page = chromium.new_page()

    def video(what: str):
        return page.evaluate(f"document.querySelector('video').{what}")

    try:
        page.goto(link["page"])
        # The page's own policy lets nothing wait inside it.
        eventually(lambda: video("readyState") >= 2, 20, "the beginning is there")
        assert abs(video("duration") - short_lesson.seconds) <= 0.5
        video("play()")
        eventually(lambda: video("currentTime") > 0.5, 20, "it plays")
        video("currentTime = 9")
        eventually(lambda: not video("seeking") and video("currentTime") >= 9, 20, "it is sought")
        eventually(lambda: video("ended"), 20, "it plays to its end")
        assert video("videoWidth") == 640 and video("error") is None
    finally:
        page.close()
    kinds = eventually(
        lambda: (lambda found: found if "playbackEnded" in found else None)(
            [each[0] for each in rows(relay, "SELECT kind FROM events WHERE kind LIKE 'playback%' ORDER BY id")]
        ),
        10,
        "the playback is told",
    )
    assert kinds[0] == "playbackStarted" and "playbackSeeked" in kinds and kinds[-1] == "playbackEnded", kinds
    assert rows(relay, "SELECT count(*) FROM recordingReads WHERE link <> ''") == [(1,)], "one reading, one line"

    teacher("withdraw", lesson)
    assert requests.get(link["url"], timeout=10).status_code == 403
    assert "没有找到" in parent("list")
    told = [
        each[0]
        for each in rows(relay, "SELECT kind FROM events WHERE kind LIKE 'resource%' ORDER BY id")
        if each[0] != "resourceMade"
    ]
    assert told == [
        "resourceDrafted", "resourceSubmitted", "resourceApproved", "resourcePublished", "resourceWithdrawn",
    ]  # fmt: skip
    relay.expect_chain()


@pytest.mark.timeout(120)
def test_an_export_is_the_same_bytes_and_agrees_with_what_others_read(relay, lesson, tmp_path):
    teacher = Desk(relay, "leadTeacher", f"lesson:{lesson}", 1)
    teacher("edit", lesson, "--title", TITLE, "--summary", TITLE, "--keywords", "民歌,江苏", "--grades", "3")
    for name in ("one", "two"):
        teacher("export", lesson, "--output", tmp_path / name)
        teacher("export", lesson, "--output", tmp_path / f"{name}.zip")
    assert "已经存在" in teacher("export", lesson, "--output", tmp_path / "one", code=1)
    first = files_of(tmp_path / "one")
    assert first == files_of(tmp_path / "two")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert {each: archive.read(each) for each in archive.namelist()} == first
    assert not [each for each in tmp_path.iterdir() if "unfinished" in each.name]
    manifest = json.loads(first["manifest.json"])
    assert {each["name"]: each["sha256"] for each in manifest["files"]} == {
        name: hashlib.sha256(data).hexdigest() for name, data in first.items() if name != "manifest.json"
    }
    assert all(each["byteCount"] == len(first[each["name"]]) for each in manifest["files"])

    lom = xml.fromstring(first["lom.xml"])
    assert lom.tag == LOM + "lom" and {each.tag.partition("}")[0] + "}" for each in lom.iter()} == {LOM}
    assert lom.findtext(f"{LOM}general/{LOM}title/{LOM}string") == TITLE
    assert json.loads(first["lom.json"])["lom"]["general"]["title"]["string"]["#"] == TITLE
    core = xml.fromstring(first["dublin-core.xml"])
    assert core.findtext("{http://purl.org/dc/elements/1.1/}title") == TITLE
    assert json.loads(first["collection.json"])["题名"] == TITLE

    # What the metadata says of the file is what ffprobe and mediainfo read in it.
    video = next(each for each in teacher.json("show", lesson)["files"] if each["mediaType"] == "video/mp4")
    path = tmp_path / "one" / video["name"]
    found = probing.probe(path)
    technical = lom.find(LOM + "technical")
    told = technical.findtext(f"{LOM}duration/{LOM}duration")
    assert told.startswith("PT") and abs(float(told[2:-1]) - found.duration) <= 0.2
    assert "video/mp4" in [each.text for each in technical.findall(LOM + "format")]
    assert int(technical.findtext(LOM + "size")) == sum(
        len(first[each["name"]]) for each in teacher.json("show", lesson)["files"]
    )
    command = ["mediainfo", "--Output=JSON", path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    media = json.loads(done.stdout)["media"]["track"]
    general = next(each for each in media if each["@type"] == "General")
    picture = next(each for each in media if each["@type"] == "Video")
    assert general["Format"] == "MPEG-4" and picture["Format"] == "AVC"
    assert int(general["FileSize"]) == video["byteCount"] == path.stat().st_size
    assert abs(float(general["Duration"]) - video["durationMilliseconds"] / 1000) <= 0.2
    assert abs(float(general["Duration"]) - found.duration) <= 0.1
