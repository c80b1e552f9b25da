"""ffmpeg's own WHIP muxer (`-f whip`); it never answers a PLI, and uses the first UDP host candidate alone."""

import subprocess
from pathlib import Path

from media import FFMPEG, Lesson


class Publisher:
    def __init__(self, place: dict, lesson: Lesson, log: Path, loop: bool = False):
        command = [FFMPEG, "-hide_banner", "-v", "info", "-nostdin", "-re"]
        command += (["-stream_loop", "-1"] if loop else []) + ["-i", str(lesson.path), "-c", "copy"]
        command += ["-f", "whip", "-authorization", place["token"], place["url"]]
        self.log = log
        with open(log, "wb") as file:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def expect_running(self) -> None:
        code = self.process.poll()
        assert code is None, f"ffmpeg has ended with {code}\n{self.tail()}"

    def wait(self, seconds: float) -> None:
        """Until all of the file is sent."""
        code = self.process.wait(seconds)
        assert code == 0, f"ffmpeg ended with {code}\n{self.tail()}"

    def stop(self) -> None:
        """Lets it send its DELETE."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
