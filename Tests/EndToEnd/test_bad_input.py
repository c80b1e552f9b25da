"""Whatever arrives, the relay lives, and whoever watches notices nothing."""

import os
import random
import re
import socket
import struct
import time

import pytest

import relay as relays
import watching


def media_port(answer: str) -> int:
    return int(re.search(r"^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+)", answer, re.MULTILINE).group(1))


def datagrams(seed: int, fragment: str):
    """Noise of each kind that shares the port (RFC 7983), and much that is nearly right."""
    source = random.Random(seed)
    for count in range(3_000):
        size = source.choice([0, 1, 2, 11, 12, 19, 20, 28, 100, 700, 1_400, 9_000])
        body = bytearray(source.randbytes(size))
        if size and count % 6:
            body[0] = source.choice([0, 1, 3, 20, 22, 23, 63, 128, 144, 191, 200, 255])
        if size >= 20 and count % 5 == 0:
            body[:20] = struct.pack(">HHI", 1, (size - 20) & ~3, 0x2112A442) + source.randbytes(12)
        yield bytes(body)
    name = f"{fragment}:abcd".encode()
    padded = name + bytes(-len(name) % 4)
    for length in range(0, 200, 4):
        # A binding request for a session that exists, with an integrity that is wrong and lengths that lie.
        attributes = struct.pack(">HH", 6, len(name)) + padded + struct.pack(">HH", 8, 20) + source.randbytes(20)
        yield struct.pack(">HHI", 1, length, 0x2112A442) + source.randbytes(12) + attributes


@pytest.mark.timeout(60)
def test_noise_on_the_media_port_harms_nobody(relay, ffmpeg, python_peer, tab, long_lesson):
    ffmpeg(relay.whip(), long_lesson)
    room = tab().watch(relay.whep)
    python = python_peer.watch(relay.whep, "H264")
    watching.expect_lesson(room, None)
    before = relay.metrics()
    answer = room.started["answer"]
    port = media_port(answer)
    fragment = re.search(r"^a=ice-ufrag:(\S+)", answer, re.MULTILINE).group(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
        for seed in range(3):
            for body in datagrams(seed, fragment):
                noise.sendto(body, ("127.0.0.1", port))
    relay.expect_alive()
    start = room.frames()[-1].at
    watching.expect_lesson(room, None, moved=45, since=start)
    watching.expect_lesson(python, None, moved=45)
    assert room.statistics()["video"]["packetsLost"] == 0
    after = relay.metrics()
    dropped = {name: after[name] - before.get(name, 0) for name in after if "packets_dropped_total" in name}
    print(f"dropped: { {name: count for name, count in dropped.items() if count} }")
    assert sum(dropped.values()) > 1_000, "what is dropped is counted"
    assert after.get('tongke_peers{worker="0"}') == before.get('tongke_peers{worker="0"}'), "noise makes no peers"


@pytest.mark.timeout(60)
def test_garbage_over_http_harms_nobody(relay, ffmpeg, python_peer, long_lesson):
    ffmpeg(relay.whip(), long_lesson)
    room = python_peer.watch(relay.whep, "H264")
    watching.expect_lesson(room, None)
    source = random.Random(7)
    offer = room.pc.localDescription.sdp
    now = int(time.time() * 1000)
    # Offers of one seat are limited in number, so many seats bring them.
    seats = relay.make_lesson(now - 60_000, now + 600_000, receivers=8)["whep"]
    for count in range(240):
        body = bytearray(offer.encode())
        for _ in range(source.randrange(1, 30)):
            body[source.randrange(len(body))] = source.randrange(256)
        body = body[: source.randrange(1, len(body))] if count % 2 else body
        seat = seats[count % len(seats)]
        response = relay.request(
            "POST", seat["url"], seat["token"], data=bytes(body), headers={"Content-Type": "application/sdp"}
        )
        assert response.status_code in (201, 400, 422, 503), f"{response.status_code} {response.text}"
    for body in (b"", b"\xff" * 100, os.urandom(5_000), b"a=ice-ufrag:\r\n" * 900):
        headers = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": room.session.etag}
        response = relay.request("PATCH", room.session.url, relay.whep["token"], data=body, headers=headers)
        assert 200 <= response.status_code < 500
    host, port = re.match(r"http://([^:]+):(\d+)", relay.base).groups()
    for raw in (b"\x16\x03\x01\x02\x00" + os.urandom(200), b"GET / HTTP/9.9\r\n\r\n", b"POST /" + b"a" * 100_000):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            try:
                connection.sendall(raw)
                connection.settimeout(2)
                connection.recv(4_096)
            except (TimeoutError, ConnectionError):
                pass  # Either is an answer to nonsense.
    relay.expect_alive()
    assert relay.request("GET", "/healthz").status_code == 200
    start = room.frames()[-1].at
    watching.expect_lesson(room, None, since=start)
    assert watching.longest_gap([f for f in room.frames()[5:]]) < 2_000


@pytest.mark.parametrize(
    "text, lines",
    [
        ("nonsense: 1", "2"),
        ("udpPort: many", "2"),
        ("tls: {certificate: x}", "2"),
        # What is never closed is missed at the end of the file.
        ("http: [", "23"),
        # The whole file is no mapping.
        ("- 1", "12"),
    ],
)
def test_bad_configuration_is_refused_with_its_line(text, lines, tmp_path):
    config = tmp_path / "tongke.yaml"
    config.write_text(f"# comment\n{text}\n")
    done = relays.run("serve", "--data", str(tmp_path / "data"), "--config", str(config), "--http", "127.0.0.1:0")
    assert done.returncode == 1, done.stderr
    assert re.search(rf"tongke\.yaml\D+[{lines}]\b", done.stderr), done.stderr
