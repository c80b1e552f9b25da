"""Fixtures: generated media, real clients, and a relay for each test. A missing tool is an error of set-up."""

import os
import shutil
import subprocess

import pytest
from playwright.sync_api import sync_playwright

import aiortc_peer
import browser
import ffmpeg_publisher
import gstreamer_peer
import media
import network
import relay as relays

TOOLS = [browser.CHROMIUM, gstreamer_peer.PYTHON, "ffprobe", "ip", "certutil", "curl", "mediainfo"]


def pytest_sessionstart(session):
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not os.access(relays.EXECUTABLE, os.X_OK):
        missing.append(relays.EXECUTABLE)
    if missing:
        pytest.exit(f"missing: {', '.join(missing)} (tools/setup installs them)", 3)
    gstreamer = [gstreamer_peer.PYTHON, "-c", "import gi; gi.require_version('GstWebRTC', '1.0')"]
    if subprocess.run(gstreamer, capture_output=True).returncode:
        pytest.exit("GStreamer's WebRTC bindings for Debian's Python are missing (tools/setup installs them)", 3)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and report.failed:
        for node in item.listchain():
            for each in getattr(node, "relays", []):
                report.sections.append((f"relay in {each.folder}", each.tail()))
        for each in getattr(item, "tabs", []):
            report.sections.append(("browser console", "\n".join(each.messages[-20:])))
    return report


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="session")
def camera(files) -> media.Lesson:
    """What the browsers' camera shows: 960×540 at 15 pictures a second, again and again."""
    return media.write_y4m(files / "camera.y4m", 960, 540, 150, 15)


@pytest.fixture(scope="session")
def sound(files):
    media.write_wav(files / "sound.wav", 4)
    return files / "sound.wav"


@pytest.fixture(scope="session")
def short_lesson(files) -> media.Lesson:
    """12 s with a key frame each second."""
    return media.write_encoded(files / "short.mkv", 640, 360, 180, 15, 1)


@pytest.fixture(scope="session")
def long_lesson(files) -> media.Lesson:
    """90 s with a key frame each second: longer than any test."""
    return media.write_encoded(files / "long.mkv", 640, 360, 1_350, 15, 1)


@pytest.fixture(scope="session")
def sparse_lesson(files) -> media.Lesson:
    """30 s with a key frame only every 5 s."""
    return media.write_encoded(files / "sparse.mkv", 640, 360, 900, 30, 5)


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as each:
        yield each


@pytest.fixture(scope="session")
def chromium(playwright, camera, sound):
    instance = playwright.chromium.launch(
        executable_path=browser.CHROMIUM,
        args=browser.arguments(camera.path, sound),
        # A muted browser tells no audio levels.
        ignore_default_args=["--mute-audio"],
        timeout=30_000,
    )
    yield instance
    instance.close()


@pytest.fixture(scope="session")
def page_server():
    server = browser.PageServer()
    yield server
    server.close()


@pytest.fixture
def tab(request, chromium, page_server):
    """Makes pages of the tests' own, each with its own storage."""
    contexts = []
    request.node.tabs = []

    def make() -> browser.Tab:
        context = chromium.new_context()
        contexts.append(context)
        made = browser.Tab(context, page_server.url)
        request.node.tabs.append(made)
        return made

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def loop():
    each = aiortc_peer.Loop()
    yield each
    each.close()


@pytest.fixture
def python_peer(loop):
    """Starts aiortc peers, and ends those the test left."""
    peers = []

    class Start:
        @staticmethod
        def watch(place, codec=None):
            peers.append(aiortc_peer.watch(loop, place, codec))
            return peers[-1]

        @staticmethod
        def publish(place, **settings):
            peers.append(aiortc_peer.publish(loop, place, **settings))
            return peers[-1]

    yield Start
    for peer in peers:
        peer.vanish()


@pytest.fixture
def gstreamer(tmp_path):
    peers = []

    def log():
        return tmp_path / f"gstreamer-{len(peers)}.log"

    class Start:
        @staticmethod
        def watch(place, codec="H264"):
            peers.append(gstreamer_peer.watch(place, log(), codec))
            return peers[-1]

        @staticmethod
        def publish(place, lesson):
            peers.append(gstreamer_peer.publish(place, lesson.path, log()))
            return peers[-1]

    yield Start
    for peer in peers:
        if peer.process.poll() is None:
            peer.process.kill()
            peer.process.wait(10)


@pytest.fixture
def ffmpeg(tmp_path):
    """Starts ffmpeg publishers, and ends those the test left."""
    started = []

    def publish(place, lesson, loop=False) -> ffmpeg_publisher.Publisher:
        log = tmp_path / f"ffmpeg-{len(started)}.log"
        started.append(ffmpeg_publisher.Publisher(place, lesson, log, loop))
        return started[-1]

    yield publish
    for each in started:
        each.kill()


@pytest.fixture
def wire():
    """A second machine at the other end of a wire."""
    each = network.Wire()
    yield each
    each.close()


@pytest.fixture
def start_relay(request, tmp_path):
    """Starts relays, each with its own folder unless told, and ends those the test left."""
    request.node.relays = []

    def start(folder=None, **settings) -> relays.Relay:
        each = relays.Relay(folder or tmp_path / f"relay-{len(request.node.relays)}", **settings)
        request.node.relays.append(each)
        return each.start()

    yield start
    for each in request.node.relays:
        if each.process and each.process.poll() is None:
            each.kill()


@pytest.fixture
def relay(start_relay):
    return start_relay()
