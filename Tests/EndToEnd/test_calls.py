"""No packet costs an allocation, a lock, a reference count or a checked access; and the check would see one."""

import os
import subprocess

import relay as relays

BENCH = os.environ.get("TONGKE_BENCH", os.path.join(os.path.dirname(relays.EXECUTABLE), "tongke-bench"))


def calls(*options):
    return subprocess.run([BENCH, "calls", "--check", *options], capture_output=True, text=True, timeout=240)


def test_a_packet_calls_nothing_of_the_runtime():
    run = calls()
    assert run.returncode == 0, run.stderr


def test_planted_calls_are_seen():
    run = calls("--plant")
    assert run.returncode == 1, run.stderr
    for part in ("core, gcm, RTP out", "core, sha1, RTP out", "media thread, gcm"):
        for kind in (
            "malloc",
            "pthread_mutex_lock",
            "swift_retain",
            "swift_release",
            "swift_beginAccess",
            "swift_allocObject",
        ):
            assert any(
                line.startswith("over ") and part in line and kind in line for line in run.stderr.splitlines()
            ), (part, kind, run.stderr)
