"""The data folder of an earlier release serves on: `Tests/Fixtures/data-folder-v*`."""

import shutil
from pathlib import Path

import pytest

import watching

FIXTURES = Path(__file__).parents[1] / "Fixtures"
#: A lesson of the first release's folder and what it came to.
LESSON = "00000000-0000-000a-0000-000000000001"
ATTENDANCE = [2_400, 2_390, 1_700, 300]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("release", sorted(each.name for each in FIXTURES.glob("data-folder-v*")))
def test_data_folder_of_an_earlier_release(release, start_relay, ffmpeg, python_peer, tmp_path, short_lesson):
    folder = tmp_path / "relay"
    shutil.copytree(FIXTURES / release, folder / "data")
    relay = start_relay(folder=folder)
    relay.expect_chain()
    report = relay.report(LESSON)
    assert report["state"] in ("ended", "resource") and report["taught"] is True
    assert [seat["attendanceSeconds"] for seat in report["seats"]] == ATTENDANCE
    assert len(relay.lesson(LESSON)["resources"]) == 1

    # And it carries lessons as ever.
    ffmpeg(relay.whip(), short_lesson, loop=True)
    room = python_peer.watch(relay.whep, "H264")
    watching.expect_lesson(room, short_lesson.frames)
    assert relay.stop() == 0
    relay.expect_chain()
