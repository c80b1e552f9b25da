"""What a viewer saw, whichever client it was, and what that proves."""

import bisect
from dataclasses import dataclass

from waiting import eventually


@dataclass(frozen=True)
class Frame:
    """One picture as it was shown."""

    #: When, in milliseconds since the epoch.
    at: float
    #: None where the strip did not read.
    strip: int | None
    width: int
    height: int


def steps(values: list[int], period: int | None) -> list[int]:
    """How far the strip moved from picture to picture; over a loop of `period` pictures it starts again."""
    pairs = zip(values, values[1:])
    return [(b - a) % period if period else b - a for a, b in pairs]


def expect_lesson(viewer, period: int | None, moved: int = 30, seconds: float = 20, since: float = 0) -> list[Frame]:
    """Waits until the viewer's strip has moved by `moved` pictures; then nearly all strips must have read, none out of
    the source's range and none going back."""

    def seen() -> list[Frame]:
        return [frame for frame in viewer.frames() if frame.at >= since]

    def progress() -> bool:
        values = [frame.strip for frame in seen() if frame.strip is not None]
        return sum(step for step in steps(values, period) if step < 1 << 20) >= moved

    def found() -> str:
        frames = seen()
        return (
            f"{moved} pictures further; {len(frames)} were shown, strips {[f.strip for f in frames[-20:]]}, "
            f"{viewer_state(viewer)}"
        )

    eventually(progress, seconds, found, every=0.1)
    frames = seen()
    values = [frame.strip for frame in frames if frame.strip is not None]
    # One picture of a share may be half repaired; few pictures have no twentieth.
    unread = len(frames) - len(values)
    assert unread <= max(1, len(frames) // 20), f"{unread} of {len(frames)} strips did not read"
    if period:
        assert max(values) < period, f"strip {max(values)} was never painted"
        wrong = [step for step in steps(values, period) if step > period * 3 // 4]
    else:
        wrong = [step for step in steps(values, period) if step < 0]
    assert not wrong, f"pictures went backwards: {values}"
    return frames


def viewer_state(viewer) -> str:
    try:
        return str(viewer.statistics())
    except Exception as error:  # The state is only for the message.
        return f"no statistics ({error})"


def longest_gap(frames: list[Frame]) -> float:
    """Longest time between two pictures, in milliseconds."""
    return max((b.at - a.at for a, b in zip(frames, frames[1:])), default=0.0)


def behind(first: list[Frame], second: list[Frame], period: int, rate: int) -> list[float]:
    """For each picture of the second, how many milliseconds of the source lie between it and what the first showed at
    that moment; negative where the second is ahead. The strip goes round in `period` pictures, `rate` a second."""
    shown = [frame for frame in first if frame.strip is not None]
    times = [frame.at for frame in shown]
    late = []
    for frame in second:
        place = bisect.bisect_right(times, frame.at) - 1
        if frame.strip is None or place < 0 or place == len(shown) - 1:
            continue
        distance = (shown[place].strip - frame.strip + period // 2) % period - period // 2
        late.append(distance * 1000 / rate)
    return late
