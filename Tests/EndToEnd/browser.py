"""Chromium as publisher and viewer, driven through the tests' own page."""

import functools
import http.server
import threading
from pathlib import Path

import watching
from waiting import eventually

CHROMIUM = "/usr/bin/chromium"
PAGE = Path(__file__).with_name("page")


def arguments(camera: Path, sound: Path) -> list[str]:
    """Switches of a Chromium whose camera and microphone are files. Certificates are checked as ever."""
    return [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
        f"--use-file-for-fake-audio-capture={sound}",
        "--autoplay-policy=no-user-gesture-required",
        "--allow-loopback-in-peer-connection",
    ]


class PageServer:
    """Serves the tests' page on a free loopback port: another origin than the relay's, as a school's own page is."""

    def __init__(self):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Handler, directory=str(PAGE))
        )
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/index.html"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Peer:
    """One peer connection inside a page."""

    def __init__(self, tab, name: str):
        self.tab = tab
        self.name = name

    def call(self, function: str, *more):
        return self.tab.page.evaluate(f"([name, ...more]) => client.{function}(name, ...more)", [self.name, *more])

    def frames(self) -> list[watching.Frame]:
        return [watching.Frame(*each) for each in self.call("frames")]

    def statistics(self) -> dict:
        return self.call("statistics")

    def arrivals(self) -> dict[str, int]:
        """Packets that have come on each line so far, by its mid."""
        return self.call("arrivals")

    def connected(self, seconds: float = 10):
        eventually(
            lambda: "connected" in self.call("states"),
            seconds,
            lambda: f"{self.name} is connected; states were {self.call('states')}",
        )
        return self

    def leave(self) -> int:
        return self.call("leave")

    def vanish(self) -> None:
        self.call("vanish")


class Tab:
    """A page of the tests' own with any number of peer connections."""

    def __init__(self, context, url: str):
        self.page = context.new_page()
        self.messages: list[str] = []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.goto(url)
        self.page.wait_for_function("window.client !== undefined")
        self.count = 0

    def _start(self, function: str, place: dict, **settings) -> Peer:
        self.count += 1
        peer = Peer(self, f"{function}-{self.count}")
        settings |= {"name": peer.name, "url": place["url"], "token": place["token"]}
        peer.started = self.page.evaluate(f"settings => client.{function}(settings)", settings)
        return peer

    def publish(
        self, place: dict, codec: str | None = None, rids=None, width=640, height=360, rate=15, audio=True
    ) -> Peer:
        return self._start(
            "publish", place, codec=codec, rids=rids, width=width, height=height, rate=rate, audio=audio
        )

    def watch(self, place: dict, panes: int = 1) -> Peer:
        return self._start("watch", place, panes=panes)
