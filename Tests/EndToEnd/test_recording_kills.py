"""The relay is killed at moments nobody chose, again and again; what was taught before each is in a file all the same.

TONGKE_KILLS says how often; 8 where it says nothing, and tools/test takes that.
"""

import json
import os
import random
import sqlite3
import time

import pytest

import media
import probing
from waiting import eventually

KILLS = int(os.environ.get("TONGKE_KILLS", "8"))


def beginnings(relay) -> list[tuple[str, int]]:
    """Path and first moment, UTC milliseconds, of each recording that was made."""
    ledger = sqlite3.connect(f"file:{relay.data}/ledger.sqlite?mode=ro", uri=True)
    try:
        rows = ledger.execute("SELECT payload FROM events WHERE kind = 'resourceMade' ORDER BY id").fetchall()
    finally:
        ledger.close()
    told = [dict(json.loads(payload)) for (payload,) in rows]
    return [(each["path"], int(each["startsAt"])) for each in told]


@pytest.mark.timeout(60 + 30 * KILLS)
def test_kills_at_random_moments_lose_at_most_a_second_each(start_relay, ffmpeg, python_peer, long_lesson):
    seed = int(os.environ.get("TONGKE_SEED", str(random.randrange(1 << 30))))
    print(f"seed {seed}")
    moments = random.Random(seed)
    config = {"recordAlwaysLive": True}
    relay = start_relay(config=config)
    lesson = relay.place["lesson"]
    made, losses, events = 0, [], 0
    for number in range(KILLS):
        began = time.time() * 1_000
        publisher = ffmpeg(relay.whip(), long_lesson)
        room = python_peer.watch(relay.whep, "H264")
        eventually(lambda: len(room.frames()) > 5, 20, lambda: f"pictures of round {number}; {relay.tail()}")
        time.sleep(moments.uniform(0, 3))
        events = relay.report(lesson)["events"]
        last = room.frames()[-1].strip
        relay.kill()
        publisher.kill()
        ended = time.time() * 1_000
        relay = start_relay(folder=relay.folder, config=config)
        assert relay.report(lesson)["events"] >= events, f"an acknowledged event is gone after kill {number}"
        made += 1
        resource = relay.resources(lesson, count=made)[-1]
        path = relay.file(resource)
        assert resource["sha256"] == probing.sha256(path)
        # A file is listed a moment before its event is kept.
        eventually(lambda: len(beginnings(relay)) == made, 10, lambda: f"kill {number}: {beginnings(relay)}")
        # Its own stretch, once: two of one publisher that end at the same picture are the same bytes.
        starts = [start for _, start in beginnings(relay) if began <= start <= ended]
        assert len(starts) == 1 and beginnings(relay)[-1][0] == resource["path"], f"kill {number}: {beginnings(relay)}"
        strips = media.strips_of(path, 640, 360)
        assert None not in strips and strips == sorted(set(strips)), f"kill {number}: {strips}"
        losses.append(max(0, (last - strips[-1]) / long_lesson.rate))
        assert losses[-1] <= 1.0, f"kill {number} of seed {seed} lost {losses[-1]:.2f} s"
    print(f"lost to {KILLS} kills: {max(losses):.2f} s at most, {sum(losses) / len(losses):.2f} s on average")
    relay.expect_chain()
    resources = relay.resources(lesson, count=KILLS)
    assert len({each["path"] for each in resources}) == len(resources) == KILLS == len(beginnings(relay)), "none twice"
    eventually(lambda: relay.lesson(lesson)["jobs"] == [], 10, "nothing is left to be done")
