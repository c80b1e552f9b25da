"""Bounded waiting on a condition, and what to say when it never came."""

import time


def eventually(condition, seconds: float, what, every: float = 0.05):
    """Calls `condition` until it answers something true, and returns that.

    `what` says what was waited for; a callable is asked at the end, so that it can tell what there was instead.
    """
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(every)
