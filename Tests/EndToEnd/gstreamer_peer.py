"""GStreamer as publisher and viewer, in a process of Debian's own Python."""

import json
import subprocess
import threading
from pathlib import Path

import watching
from waiting import eventually

PYTHON = "/usr/bin/python3"
CLIENT = Path(__file__).with_name("gstreamer_client.py")


class Peer:
    def __init__(self, mode: str, place: dict, what: str, log: Path, prefix=(), env=None):
        self.shown: list[watching.Frame] = []
        self.said: list[dict] = []
        self.log = log
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(
                [*prefix, PYTHON, str(CLIENT), mode, place["url"], place["token"], what],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=env,
            )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            values = json.loads(line)
            if "at" in values:
                self.shown.append(watching.Frame(values["at"], values["strip"], values["width"], values["height"]))
            else:
                self.said.append(values)

    def frames(self) -> list[watching.Frame]:
        return list(self.shown)

    def statistics(self) -> str:
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        return f"GStreamer {self.process.poll()}, {len(self.shown)} pictures, {self.said}\n{tail}"

    def connected(self, seconds: float = 10):
        eventually(lambda: {"state": "connected"} in self.said, seconds, self.statistics)
        return self

    def leave(self) -> int:
        """Status of its DELETE."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        self.reader.join(5)
        return next((each["left"] for each in self.said if "left" in each), 0)


def watch(place: dict, log: Path, codec: str = "H264", **where) -> Peer:
    """`where`: `prefix` of the command and `env`."""
    return Peer("watch", place, codec, log, **where)


def publish(place: dict, file: Path, log: Path) -> Peer:
    return Peer("publish", place, str(file), log)
