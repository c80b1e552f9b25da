"""A viewer that joins late sees a picture soon, and is soon where the others are."""

import statistics

import pytest

import watching
from waiting import eventually


def wait_for_phase(viewer, period: int, low: int, high: int, seconds: float = 15):
    """Until the newest picture of the viewer lies so many pictures after a key frame."""

    def at_phase():
        frames = viewer.frames()
        return frames and frames[-1].strip is not None and low <= frames[-1].strip % period < high

    eventually(at_phase, seconds, "the wanted place in the group of pictures", every=0.02)


@pytest.mark.timeout(60)
def test_viewer_joining_later_is_at_most_200_ms_behind(relay, ffmpeg, tab, sparse_lesson):
    page = tab()
    publisher = ffmpeg(relay.whip(), sparse_lesson, loop=True)
    first = page.watch(relay.whep)
    watching.expect_lesson(first, sparse_lesson.frames, moved=90)
    # 2 s after a key frame: the next comes only in 3 s, and ffmpeg makes none when asked.
    wait_for_phase(first, 150, 58, 64)
    second = page.watch(relay.whep)
    eventually(second.frames, 10, lambda: f"a first picture; {second.statistics()}")
    first_picture = second.call("firstFrame")
    print(f"first picture of the late viewer after {first_picture:.0f} ms")
    assert first_picture < 1_500, "far later than a group of pictures that is at hand"

    begun = second.frames()[0].at
    watching.expect_lesson(second, sparse_lesson.frames, moved=150)
    eventually(lambda: second.frames()[-1].at > begun + 5_000, 10, lambda: f"5 s of pictures; {second.statistics()}")
    settled = [frame for frame in second.frames() if begun + 2_500 < frame.at]
    late = watching.behind(first.frames(), settled, sparse_lesson.frames, sparse_lesson.rate)
    assert len(late) > 20, "too few pictures to compare"
    print(f"lag once settled: median {statistics.median(late):.0f} ms, largest {max(late):.0f} ms")
    assert statistics.median(late) <= 200
    publisher.expect_running()


@pytest.mark.timeout(60)
def test_pictures_of_the_group_come_whole_and_in_order(relay, ffmpeg, python_peer, sparse_lesson):
    ffmpeg(relay.whip(), sparse_lesson, loop=True)
    first = python_peer.watch(relay.whep, "H264")
    watching.expect_lesson(first, sparse_lesson.frames, moved=90)
    wait_for_phase(first, 150, 40, 60)
    second = python_peer.watch(relay.whep, "H264")
    frames = watching.expect_lesson(second, sparse_lesson.frames, moved=60)
    print(f"first picture of the late viewer after {second.first_frame_milliseconds():.0f} ms")
    values = [frame.strip for frame in frames]
    assert values[0] % 150 == 0, f"the first picture is a key frame: {values[:5]}"
    assert watching.steps(values, sparse_lesson.frames) == [1] * (len(values) - 1), "no picture is missing"
    burst = [f for f in frames if f.at <= frames[0].at + 1_000]
    assert len(burst) >= 45, f"the group comes faster than real time: {len(burst)} pictures in the first second"
