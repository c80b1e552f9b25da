"""What ffprobe and the bytes of a file say."""

import hashlib
import json
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Probe:
    codecs: list[str]
    duration: float
    video_frames: int
    width: int
    height: int
    audio_durations: list[float]


def probe(path: Path) -> Probe:
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, f"ffprobe on {path}: {done.stderr}"
    found = json.loads(done.stdout)
    video = [each for each in found["streams"] if each["codec_type"] == "video"]
    audio = [each for each in found["streams"] if each["codec_type"] == "audio"]
    assert len(video) == 1, f"{len(video)} video streams"
    return Probe(
        codecs=[each["codec_name"] for each in found["streams"]],
        duration=float(found["format"]["duration"]),
        video_frames=int(video[0]["nb_read_frames"]),
        width=video[0]["width"],
        height=video[0]["height"],
        audio_durations=[float(each["duration"]) for each in audio if "duration" in each],
    )


def spacing(path: Path, stream: str) -> list[float]:
    """Seconds between the packets of a stream in order of presentation."""
    command = ["ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "packet=pts_time", "-of", "json"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=60, check=True)
    times = sorted(float(each["pts_time"]) for each in json.loads(done.stdout)["packets"])
    return [b - a for a, b in zip(times, times[1:])]


def heights(path: Path) -> list[int]:
    """Rows of each decoded picture."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=height", "-of", "json"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=60, check=True)
    return [each["height"] for each in json.loads(done.stdout)["frames"] if "height" in each]


def boxes(path: Path) -> list[str]:
    """Names of the top-level boxes of an MP4, in order."""
    names, at = [], 0
    data = path.read_bytes()
    while at + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        if size == 1:
            (size,) = struct.unpack(">Q", data[at + 8 : at + 16])
        names.append(name.decode("latin-1"))
        at += size if size else len(data)
    return names


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
