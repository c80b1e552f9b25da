"""GStreamer's webrtcbin as WHIP publisher and WHEP viewer; run by Debian's own Python, which has its bindings.

    gstreamer_client.py watch URL TOKEN H264|VP8
    gstreamer_client.py publish URL TOKEN FILE

Prints JSON lines: `{"posted": ms}`, `{"state": …}`, `{"at": ms, "strip": n, "width": …, "height": …}`. Ends on SIGTERM.
"""

import json
import signal
import sys
import threading
import time
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstVideo, GstWebRTC  # noqa: E402

import strip  # noqa: E402

CAPS = {
    "H264": "application/x-rtp,media=video,encoding-name=H264,payload=102,clock-rate=90000,packetization-mode=(string)1,"
    "profile-level-id=(string)42e01f",
    "VP8": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
}
DECODERS = {"H264": "rtph264depay ! h264parse ! avdec_h264", "VP8": "rtpvp8depay ! vp8dec"}
OPUS = "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2"


def say(**values):
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


class Client:
    def __init__(self, url: str, token: str):
        self.url, self.token = url, token
        self.session = None
        self.loop = GLib.MainLoop()

    def start(self, pipeline):
        self.pipeline = pipeline
        self.webrtc = pipeline.get_by_name("webrtc")
        self.webrtc.connect("on-negotiation-needed", self.on_negotiation_needed)
        self.webrtc.connect("notify::ice-gathering-state", self.on_gathering)
        self.webrtc.connect("notify::connection-state", self.on_state)
        bus = pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.on_error)
        bus.connect("message::eos", lambda *_: self.loop.quit())
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, self.loop.quit)
        pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.leave()
        pipeline.set_state(Gst.State.NULL)

    def on_error(self, _, message):
        say(error=str(message.parse_error()))
        self.loop.quit()

    def on_state(self, webrtc, _):
        say(state=webrtc.get_property("connection-state").value_nick)

    def on_negotiation_needed(self, webrtc):
        webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.on_offer, None))

    def on_offer(self, promise, _):
        # The binding's offer lives only as long as the reply does.
        reply = promise.get_reply()
        self.webrtc.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def on_gathering(self, webrtc, _):
        if webrtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            threading.Thread(target=self.exchange, daemon=True).start()

    def exchange(self):
        offer = self.webrtc.get_property("local-description").sdp.as_text()
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {self.token}"}
        say(posted=time.time() * 1000)
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url, offer.encode(), headers), timeout=10) as response:
                answer = response.read().decode()
                self.session = urllib.parse.urljoin(self.url, response.headers["Location"])
        except urllib.error.HTTPError as error:
            say(error=f"POST answered {error.code}: {error.read().decode()[:500]}", offer=offer)
            GLib.idle_add(self.loop.quit)
            return
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.webrtc.emit("set-remote-description", description, Gst.Promise.new())

    def leave(self):
        if self.session:
            request = urllib.request.Request(self.session, method="DELETE")
            request.add_header("Authorization", f"Bearer {self.token}")
            with urllib.request.urlopen(request, timeout=10) as response:
                say(left=response.status)

    def watch(self, codec: str):
        pipeline = Gst.parse_launch("webrtcbin name=webrtc bundle-policy=max-bundle latency=50")
        if not isinstance(pipeline, Gst.Pipeline):
            webrtc, pipeline = pipeline, Gst.Pipeline.new(None)
            pipeline.add(webrtc)
        webrtc = pipeline.get_by_name("webrtc")
        webrtc.connect("pad-added", self.on_pad)
        self.codec = codec
        for caps in (OPUS, CAPS[codec]):
            webrtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(caps))
        self.start(pipeline)

    def on_pad(self, _, pad):
        kind = pad.get_current_caps().get_structure(0).get_string("media")
        if kind == "video":
            chain = f"queue ! {DECODERS[self.codec]} ! videoconvert ! video/x-raw,format=GRAY8 "
            chain += "! appsink name=pictures emit-signals=true sync=false max-buffers=10"
        else:
            chain = "queue ! rtpopusdepay ! opusdec ! fakesink"
        branch = Gst.parse_bin_from_description(chain, True)
        if kind == "video":
            branch.get_by_name("pictures").connect("new-sample", self.on_picture)
        self.pipeline.add(branch)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))

    def on_picture(self, sink):
        sample = sink.emit("pull-sample")
        info = GstVideo.VideoInfo.new_from_caps(sample.get_caps())
        done, mapped = sample.get_buffer().map(Gst.MapFlags.READ)
        if done:
            value = strip.read(mapped.data, info.width, info.height, info.stride[0])
            say(at=time.time() * 1000, strip=value, width=info.width, height=info.height)
            sample.get_buffer().unmap(mapped)
        return Gst.FlowReturn.OK

    def publish(self, file: str):
        self.start(
            Gst.parse_launch(
                f"webrtcbin name=webrtc bundle-policy=max-bundle filesrc location={file} ! matroskademux name=file "
                "file.video_0 ! queue ! h264parse config-interval=-1 ! clocksync "
                "! rtph264pay config-interval=-1 aggregate-mode=zero-latency mtu=1200 "
                "! application/x-rtp,media=video,encoding-name=H264,payload=102 ! webrtc. "
                "file.audio_0 ! queue ! opusparse ! clocksync ! rtpopuspay "
                "! application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! webrtc."
            )
        )


if __name__ == "__main__":
    Gst.init(None)
    mode, url, token, what = sys.argv[1:]
    client = Client(url, token)
    client.watch(what) if mode == "watch" else client.publish(what)
