"""Generated pictures and sound with a strip that counts frames, as files for each kind of client."""

import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy

import strip

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


@dataclass(frozen=True)
class Lesson:
    """A file and what its strip counts through."""

    path: Path
    frames: int
    rate: int

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


def pictures(width: int, height: int, frames: int, first: int = 0):
    """Luma planes: a still page with lines, a block that wanders, the strip with the frame's number from `first` on."""
    page = numpy.full((height, width), 205, numpy.uint8)
    for line in range(6):
        y = height // 4 + line * height // 9
        page[y : y + height // 40, width // 12 : width * (4 + line % 3) // 8] = 60
    size = height // 6
    for frame in range(frames):
        luma = page.copy()
        x = frame * 7 % (width - size)
        luma[height * 3 // 4 : height * 3 // 4 + size, x : x + size] = 90
        strip.paint(luma, first + frame)
        yield luma


def write_y4m(path: Path, width: int, height: int, frames: int, rate: int) -> Lesson:
    colour = numpy.full((width // 2) * (height // 2) * 2, 128, numpy.uint8).tobytes()
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420mpeg2\n".encode())
        for luma in pictures(width, height, frames):
            file.write(b"FRAME\n" + luma.tobytes() + colour)
    return Lesson(path, frames, rate)


def write_wav(path: Path, seconds: int) -> None:
    """A tone that comes and goes twice a second, mono 48 kHz."""
    at = numpy.arange(48_000 * seconds)
    samples = 9_000 * numpy.sin(2 * numpy.pi * 440 * at / 48_000) * (at % 24_000 < 14_000)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(samples.astype("<i2").tobytes())


def write_encoded(
    path: Path, width: int, height: int, frames: int, rate: int, key_frame_seconds: float, kilobits: int = 500,
    first: int = 0, tone: int = 440,
) -> Lesson:  # fmt: skip
    """H.264 constrained baseline and Opus, with key frames at the interval and nowhere else. Strips count from `first`,
    the sound is a tone of so many hertz."""
    interval = str(int(rate * key_frame_seconds))
    command = [FFMPEG, "-v", "error", "-y"]
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", str(rate), "-i", "-"]
    command += ["-f", "lavfi", "-i", f"sine=frequency={tone}:sample_rate=48000"]
    command += ["-t", f"{frames / rate:.3f}"]
    command += ["-c:v", "libx264", "-preset", "superfast", "-profile:v", "baseline", "-pix_fmt", "yuv420p", "-bf", "0"]
    command += ["-g", interval, "-keyint_min", interval, "-sc_threshold", "0", "-threads", "1"]
    command += ["-b:v", f"{kilobits}k", "-maxrate", f"{kilobits}k", "-bufsize", f"{kilobits}k"]
    command += ["-vf", "scale=in_range=tv:out_range=tv"]
    command += ["-c:a", "libopus", "-ac", "2", "-b:a", "32k", str(path)]
    encoder = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    for luma in pictures(width, height, frames, first):
        encoder.stdin.write(luma.tobytes())
    _, errors = encoder.communicate(timeout=60)
    if encoder.returncode:
        raise RuntimeError(f"the test's own encoder failed: {errors.decode(errors='replace')}")
    return Lesson(path, frames, rate)


def strips_of(path: Path, width: int, height: int) -> list[int | None]:
    """The strip of every picture of a file, by decoding all of it."""
    command = [FFMPEG, "-v", "error", "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough"]
    command += ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 0, f"{path} does not decode: {done.stderr.decode(errors='replace')}"
    size = width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2)
    assert len(done.stdout) % size == 0, f"{path} is not {width}×{height}"
    planes = memoryview(done.stdout)
    return [strip.read(planes[at : at + size], width, height, width) for at in range(0, len(planes), size)]
