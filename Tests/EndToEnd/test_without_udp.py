"""Clients in a network that drops every UDP packet: media goes by TCP, and what is seen and recorded is whole."""

import os
import re
import shlex
import subprocess
import sys

import pytest

import browser
import gstreamer_peer
import media
import network
import probing
import watching
from waiting import eventually

ADDRESS = network.RELAY_ADDRESS
PAGE_PORT = 18000


@pytest.fixture
def relay(wire, start_relay):
    """A relay beyond a wire whose other end carries no UDP."""
    wire.block_udp()
    config = {"https": f"{ADDRESS}:18443", "udpPort": 18189, "recordAlwaysLive": True}
    return start_relay(http="0.0.0.0:18080", config=config, prefix=wire.prefix(wire.relay))


@pytest.fixture
def room_tab(request, wire, playwright, tmp_path, camera, sound):
    """Makes pages of the tests' own in a Chromium of the room, from a server there: localhost may use a camera."""
    server = subprocess.Popen(
        [*wire.prefix(wire.room), sys.executable, "-m", "http.server", str(PAGE_PORT), "--bind", "127.0.0.1"],
        cwd=browser.PAGE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    launcher = tmp_path / "chromium"
    launcher.write_text(f'#!/bin/sh\nexec {shlex.join(wire.prefix(wire.room))} {browser.CHROMIUM} "$@"\n')
    launcher.chmod(0o755)
    chromium = playwright.chromium.launch(
        executable_path=str(launcher),
        args=browser.arguments(camera.path, sound),
        ignore_default_args=["--mute-audio"],
        timeout=30_000,
    )

    request.node.tabs = []

    def make() -> browser.Tab:
        # What the certificate is good for is another test.
        context = chromium.new_context(ignore_https_errors=True)
        request.node.tabs.append(browser.Tab(context, f"http://127.0.0.1:{PAGE_PORT}/index.html"))
        return request.node.tabs[-1]

    yield make
    chromium.close()
    server.terminate()
    server.wait(10)


def beyond(place: dict) -> dict:
    """A place as it is reached over the wire."""
    return place | {"url": re.sub(r"^http://[^/]+", f"https://{ADDRESS}:18443", place["url"])}


def metrics(wire) -> dict[str, float]:
    """What the relay tells its own machine."""
    command = [*wire.prefix(wire.relay), "curl", "--silent", "--max-time", "10"]
    done = subprocess.run([*command, "http://127.0.0.1:18080/metrics"], capture_output=True, text=True)
    found = re.findall(r"^([a-zA-Z_:][^\s{]*(?:\{[^}]*\})?) ([-+.\deEinfNa]+)$", done.stdout, re.MULTILINE)
    return {name: float(value) for name, value in found}


def total(values: dict[str, float], name: str) -> float:
    return sum(value for key, value in values.items() if key.split("{")[0] == name)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_chromium_teaches_and_watches_by_tcp(codec, wire, relay, room_tab, camera):
    lead = room_tab().publish(beyond(relay.whip()), codec=codec).connected(20)
    room = room_tab().watch(beyond(relay.whep))
    watching.expect_lesson(room, camera.frames, moved=60, seconds=40)
    statistics = room.statistics()
    assert statistics["video"]["codec"] == f"video/{codec}"
    assert statistics["audio"]["totalAudioEnergy"] > 0, "the sound is silent"
    eventually(lambda: total(metrics(wire), "tongke_tcp_connections") >= 2, 5, lambda: f"two; {metrics(wire)}")
    # An encoder starts with little.
    for direction in ("received", "sent"):
        name = f"tongke_tcp_bytes_{direction}_total"
        eventually(lambda: total(metrics(wire), name) > 100_000, 20, lambda: f"100 kB {direction}; {metrics(wire)}")
    assert [room.leave(), lead.leave()] == [200, 200]
    eventually(
        lambda: total(metrics(wire), "tongke_tcp_connections") == 0, 15, lambda: f"all closed; {metrics(wire)}"
    )


@pytest.mark.timeout(90)
def test_gstreamer_watches_by_tcp(wire, relay, room_tab, tmp_path, camera):
    lead = room_tab().publish(beyond(relay.whip()), codec="H264").connected(20)
    authority = relay.data / "tls" / "ca.crt"
    room = gstreamer_peer.watch(
        beyond(relay.whep),
        tmp_path / "gstreamer.log",
        prefix=wire.prefix(wire.room),
        env=os.environ | {"SSL_CERT_FILE": str(authority)},
    )
    try:
        watching.expect_lesson(room, camera.frames, seconds=40)
        eventually(lambda: total(metrics(wire), "tongke_tcp_connections") >= 2, 5, lambda: f"two; {metrics(wire)}")
    finally:
        room.leave()
    lead.leave()


@pytest.mark.timeout(120)
def test_what_comes_by_tcp_is_recorded(wire, relay, room_tab, camera):
    lead = room_tab().publish(beyond(relay.whip()), codec="H264").connected(20)
    room = room_tab().watch(beyond(relay.whep))
    watching.expect_lesson(room, camera.frames, moved=45, seconds=40)
    assert [room.leave(), lead.leave()] == [200, 200]
    # A stretch of teaching becomes a file by itself.
    video = lambda: next(relay.data.rglob("[!.]*.mp4"), None)  # noqa: E731
    path = eventually(video, 60, lambda: "a video of what was taught", every=0.5)
    found = probing.probe(path)
    strips = media.strips_of(path, found.width, found.height)
    read = [each for each in strips if each is not None]
    assert len(read) >= 0.95 * len(strips) and len(read) >= 30
    assert all(step <= camera.frames // 4 for step in watching.steps(read, camera.frames)), f"out of order: {read}"
    assert total(metrics(wire), "tongke_recorder_gap_packets_total") == 0
