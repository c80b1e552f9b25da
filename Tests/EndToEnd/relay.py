"""The relay under test, as a process of its own, and its HTTP interface."""

import json
import os
import queue
import re
import signal
import subprocess
import threading
from pathlib import Path

import requests

from waiting import eventually

EXECUTABLE = os.environ.get("TONGKE") or str(Path(__file__).parents[2] / ".build/release/tongke")


class Relay:
    """`tongke serve`, on free loopback ports unless the configuration says otherwise."""

    def __init__(self, folder: Path, config: dict | None = None, http="127.0.0.1:0", sample=True, prefix=(), env=None):
        self.folder = folder
        self.data = folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "tongke.yaml"
        settings = {"https": "none", "udpPort": 0} | (config or {})
        # JSON is YAML.
        self.config.write_text(json.dumps(settings))
        self.log = folder / "relay.log"
        self.command = [*prefix, EXECUTABLE, "serve", "--data", str(self.data), "--config", str(self.config)]
        self.command += ["--http", http] + (["--sample"] if sample else [])
        self.env = env
        self.process = None

    def start(self, seconds: float = 20) -> "Relay":
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=log, env=self.env)
        lines: queue.Queue = queue.Queue()
        output = self.process.stdout

        def carry():
            for line in output:
                lines.put(line)
            lines.put(None)

        threading.Thread(target=carry, daemon=True).start()
        try:
            line = lines.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"the relay printed nothing within {seconds} s\n{self.tail()}") from None
        if line is None:
            raise AssertionError(f"the relay ended with {self.process.wait(5)} before it served\n{self.tail()}")
        self.place = json.loads(line)
        self.whep = self.place["whep"]
        self.base = re.match(r"https?://[^/]+", self.whep["url"]).group()
        return self

    def whip(self, feed: str = "camera") -> dict:
        return next(each for each in self.place["whip"] if each["feed"] == feed)

    def tail(self, lines: int = 40) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    # How it ends

    def stop(self, seconds: float = 20) -> int:
        """SIGTERM; it must end by itself within the time."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the relay did not end within {seconds} s of SIGTERM\n{self.tail()}") from None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def expect_alive(self) -> None:
        code = self.process.poll()
        assert code is None, f"the relay has ended with {code}\n{self.tail()}"

    # What it says

    def request(self, method: str, path: str, token: str | None = None, **more) -> requests.Response:
        headers = more.pop("headers", {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        url = path if path.startswith("http") else self.base + path
        return requests.request(method, url, headers=headers, timeout=10, **more)

    @property
    def operator(self) -> str:
        return self.place["operator"]["token"]

    def metrics(self) -> dict[str, float]:
        text = self.request("GET", "/metrics").text
        found = re.findall(r"^([a-zA-Z_:][^\s{]*(?:\{[^}]*\})?) ([-+.\deEinfNa]+)$", text, re.MULTILINE)
        return {name: float(value) for name, value in found}

    def make_lesson(self, start: int, end: int, receivers: int = 2, title: str = "古诗") -> dict:
        response = self.request(
            "POST",
            "/api/v1/lessons",
            self.operator,
            json={"title": title, "plannedStart": start, "plannedEnd": end, "receivers": receivers},
        )
        assert response.status_code == 201, f"making a lesson answered {response.status_code}: {response.text[:300]}"
        return response.json()

    def lesson(self, identifier: str) -> dict:
        response = self.request("GET", f"/api/v1/lessons/{identifier}", self.operator)
        assert response.status_code == 200, f"the lesson answered {response.status_code}: {response.text[:300]}"
        return response.json()

    def end_lesson(self, identifier: str) -> None:
        response = self.request("POST", f"/api/v1/lessons/{identifier}/end", self.operator)
        assert response.status_code == 202, f"ending answered {response.status_code}: {response.text[:300]}"

    def resources(self, lesson: str, kind: str = "video", count: int = 1, seconds: float = 120) -> list[dict]:
        """Waits for so many resources of a kind and returns them, oldest first.

        Long, since they are made at the lowest priority: whatever else runs on the machine goes before.
        """

        def found():
            fitting = [each for each in self.lesson(lesson)["resources"] if each["mediaType"].startswith(kind + "/")]
            return fitting if len(fitting) >= count else None

        return eventually(found, seconds, lambda: f"{count} {kind} resource(s); {self.lesson(lesson)}", every=0.2)

    def file(self, resource: dict) -> Path:
        path = Path(resource["path"])
        return path if path.is_absolute() else self.data / path

    # The command line on the same data folder

    def run(self, *arguments: str, seconds: float = 30) -> subprocess.CompletedProcess:
        return run(*arguments, "--data", str(self.data), seconds=seconds)

    def report(self, lesson: str) -> dict:
        done = self.run("report", "lesson", lesson, "--json")
        assert done.returncode == 0, f"the report ended with {done.returncode}: {done.stderr}"
        return json.loads(done.stdout)

    def expect_chain(self) -> None:
        done = self.run("report", "verify")
        assert done.returncode == 0, f"report verify ended with {done.returncode}: {done.stdout} {done.stderr}"


def run(*arguments: str, seconds: float = 30) -> subprocess.CompletedProcess:
    """One command of the executable, to its end."""
    return subprocess.run([EXECUTABLE, *arguments], capture_output=True, text=True, timeout=seconds)
