"""`tongke demo`: its contract, and that its figures are measured."""

import json
from pathlib import Path

import pytest

import probing
import relay as relays

SITE = {
    "site",
    "role",
    "connectMilliseconds",
    "firstFrameMilliseconds",
    "packetsReceived",
    "packetsRepaired",
    "packetsLost",
    "framesComplete",
    "latencyMilliseconds",
    "attendanceSeconds",
}
RECORDING = {"path", "durationSeconds", "videoFrames", "audioSeconds", "audioVideoOffsetMilliseconds"}


def demo(*arguments: str, seconds: float = 110) -> dict:
    done = relays.run("demo", "--json", *arguments, seconds=seconds)
    assert done.returncode == 0, f"demo ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return json.loads(done.stdout)


def expect_contract(lesson: dict, points: int) -> None:
    assert set(lesson) >= {"lesson", "durationSeconds", "lead", "teachingPoints", "recording", "ledger"}
    assert lesson["lead"]["packetsSent"] > 0 and lesson["lead"]["bytesSent"] > lesson["lead"]["packetsSent"]
    assert len(lesson["teachingPoints"]) == points
    for site in lesson["teachingPoints"]:
        assert set(site) >= SITE, f"{SITE - set(site)} missing"
        assert set(site["latencyMilliseconds"]) >= {"p50", "p99"}
        assert site["packetsReceived"] > 0 and site["framesComplete"] > 0 and site["attendanceSeconds"] > 0
        assert 0 < site["latencyMilliseconds"]["p50"] <= site["latencyMilliseconds"]["p99"]
    assert set(lesson["recording"]) >= RECORDING
    assert lesson["ledger"]["chainVerified"] is True and lesson["ledger"]["events"] > points
    assert abs(lesson["recording"]["audioVideoOffsetMilliseconds"]) <= 40


def expect_recording(lesson: dict, folder: Path) -> None:
    path = Path(lesson["recording"]["path"])
    path = path if path.is_absolute() else folder / path
    found = probing.probe(path)
    assert found.codecs[0] == "h264" and "aac" in found.codecs
    assert abs(found.duration - lesson["recording"]["durationSeconds"]) <= 0.5
    assert found.video_frames == lesson["recording"]["videoFrames"]
    assert abs(found.duration - lesson["durationSeconds"]) <= 3


def latencies(lesson: dict) -> list:
    return [tuple(site["latencyMilliseconds"].values()) for site in lesson["teachingPoints"]]


@pytest.mark.timeout(120)
def test_three_teaching_points(tmp_path):
    lesson = demo("--duration", "10", "--output", str(tmp_path / "out"))
    expect_contract(lesson, 3)
    expect_recording(lesson, tmp_path / "out")
    print(json.dumps(lesson))
    assert [site["packetsLost"] for site in lesson["teachingPoints"]] == [0, 0, 0]
    attendance = [site["attendanceSeconds"] for site in lesson["teachingPoints"]]
    assert min(attendance) < max(attendance), "one came late"


@pytest.mark.timeout(150)
def test_twenty_teaching_points(tmp_path):
    lesson = demo(
        "--duration", "10", "--teaching-points", "20", "--output", str(tmp_path / "out"), seconds=140
    )
    expect_contract(lesson, 20)
    expect_recording(lesson, tmp_path / "out")
    print(f"latency p50, p99: {latencies(lesson)}")
    assert sum(site["packetsLost"] for site in lesson["teachingPoints"]) == 0


@pytest.mark.timeout(120)
def test_loss_on_the_line_moves_the_figures(tmp_path):
    lesson = demo("--duration", "10", "--fault", "drop=5%", "--output", str(tmp_path / "out"))
    expect_contract(lesson, 3)
    repaired = sum(site["packetsRepaired"] for site in lesson["teachingPoints"])
    received = sum(site["packetsReceived"] for site in lesson["teachingPoints"])
    print(f"repaired {repaired} of {received}, lost {[s['packetsLost'] for s in lesson['teachingPoints']]}")
    assert 0.01 < repaired / received < 0.15


@pytest.mark.parametrize(
    "arguments",
    [
        ["demo", "--nonsense"],
        ["demo", "--teaching-points", "0"],
        ["demo", "--teaching-points", "many"],
        ["demo", "--fault", "drop=200%"],
        ["demo", "--fault", "gremlins"],
        ["demo", "--duration", "-1"],
        ["serve", "--nonsense"],
        ["nonsense"],
    ],
)
def test_wrong_arguments_exit_with_2(arguments):
    done = relays.run(*arguments)
    assert done.returncode == 2, f"{done.returncode}: {done.stdout} {done.stderr}"
    assert done.stderr.strip()


def test_refusals_exit_with_1(tmp_path):
    missing = relays.run("demo", "--duration", "5", "--source", str(tmp_path / "missing.mp4"))
    assert missing.returncode == 1 and missing.stderr.strip()
    nowhere = relays.run("receive", "http://127.0.0.1:9/whep/lessons/x", "--token", "x", "--duration", "1")
    assert nowhere.returncode == 1 and nowhere.stderr.strip()
