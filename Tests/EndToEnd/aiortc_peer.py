"""aiortc as publisher and viewer, on one event loop in a thread of its own."""

import asyncio
import fractions
import threading
import time

import av
import numpy
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

import media
import strip
import watching
from whip_session import Session
from waiting import eventually


class Loop:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, coroutine, seconds: float = 20):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(seconds)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)


class StripTrack(MediaStreamTrack):
    """Pictures whose strip counts frames, in real time."""

    kind = "video"

    def __init__(self, width: int, height: int, rate: int):
        super().__init__()
        self.pictures = media.pictures(width, height, 1 << 30)
        self.width, self.height, self.rate = width, height, rate
        self.count = 0
        self.start = None

    async def recv(self):
        if self.start is None:
            self.start = time.monotonic()
        await asyncio.sleep(max(0, self.start + self.count / self.rate - time.monotonic()))
        frame = av.VideoFrame.from_ndarray(next(self.pictures), format="gray").reformat(
            format="yuv420p", src_color_range=1, dst_color_range=1
        )
        frame.pts = self.count * 90_000 // self.rate
        frame.time_base = fractions.Fraction(1, 90_000)
        self.count += 1
        return frame


class Peer:
    def __init__(self, loop: Loop):
        self.loop = loop
        self.shown: list[watching.Frame] = []
        self.audio_frames = 0
        #: When, in milliseconds since the epoch, and the loudest frequency in hertz, of sound that is no silence.
        self.heard: list[tuple[float, float]] = []
        #: Kinds of tracks whose end the other side has told (RTCP BYE).
        self.ended: set[str] = set()
        self.session = None

    async def _exchange(self, place: dict):
        await self.pc.setLocalDescription(await self.pc.createOffer())
        self.posted_at = time.time()
        self.session = await asyncio.to_thread(Session, place, self.pc.localDescription.sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(self.session.answer, "answer"))

    def _open(self):
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    async def _watch(self, place: dict, codec: str | None):
        self._open()

        @self.pc.on("track")
        def on_track(track):
            asyncio.ensure_future(self._consume(track))

        self.pc.addTransceiver("audio", direction="recvonly")
        video = self.pc.addTransceiver("video", direction="recvonly")
        if codec:
            video.setCodecPreferences(_codecs(RTCRtpReceiver.getCapabilities("video"), codec))
        await self._exchange(place)

    async def _publish(self, place: dict, codec: str, width: int, height: int, rate: int):
        self._open()
        video = self.pc.addTransceiver(StripTrack(width, height, rate), direction="sendonly")
        video.setCodecPreferences(_codecs(RTCRtpSender.getCapabilities("video"), codec))
        await self._exchange(place)

    async def _consume(self, track):
        try:
            while True:
                frame = await track.recv()
                if track.kind == "audio":
                    self.audio_frames += 1
                    self._hear(frame)
                    continue
                plane = frame.planes[0]
                value = strip.read(memoryview(plane), frame.width, frame.height, plane.line_size)
                self.shown.append(watching.Frame(time.time() * 1000, value, frame.width, frame.height))
        except MediaStreamError:
            self.ended.add(track.kind)

    def _hear(self, frame):
        samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0].astype(float)
        if numpy.abs(samples).max() > 300:
            spectrum = numpy.abs(numpy.fft.rfft(samples * numpy.hanning(len(samples))))
            self.heard.append((time.time() * 1000, float(spectrum.argmax()) * frame.sample_rate / len(samples)))

    def frames(self) -> list[watching.Frame]:
        return list(self.shown)

    def statistics(self) -> str:
        return f"aiortc {self.pc.connectionState}, {len(self.shown)} pictures, {self.audio_frames} sounds"

    def connected(self, seconds: float = 10):
        eventually(lambda: self.pc.connectionState == "connected", seconds, self.statistics)
        return self

    def first_frame_milliseconds(self) -> float:
        return self.shown[0].at - self.posted_at * 1000

    def leave(self) -> int:
        status = self.session.leave()
        self.loop.run(self.pc.close())
        return status

    def vanish(self):
        self.loop.run(self.pc.close())


def _codecs(capabilities, codec: str):
    return [each for each in capabilities.codecs if each.mimeType in (f"video/{codec}", "video/rtx")]


def watch(loop: Loop, place: dict, codec: str | None = None) -> Peer:
    peer = Peer(loop)
    loop.run(peer._watch(place, codec))
    return peer


def publish(loop: Loop, place: dict, codec: str = "VP8", width=640, height=360, rate=15) -> Peer:
    peer = Peer(loop)
    loop.run(peer._publish(place, codec, width, height, rate))
    return peer
