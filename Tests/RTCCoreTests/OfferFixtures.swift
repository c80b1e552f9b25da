/// Offers as the clients of the field write them: same structure, same attributes, in the same order; ids, keys and
/// addresses are our own.
enum OfferFixtures {
  static let fingerprint =
    "sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"

  static let all: [(name: String, isPublisher: Bool, text: String)] = [
    ("chromium-whip-h264", true, chromiumPublisher(simulcast: false)),
    ("chromium-whip-simulcast", true, chromiumPublisher(simulcast: true)),
    ("chromium-whep", false, chromiumReceiver), ("firefox-whep", false, firefoxReceiver),
    ("gstreamer-whip", true, gstreamerPublisher), ("gstreamer-whep", false, gstreamerReceiver),
    ("ffmpeg-whip", true, ffmpegPublisher), ("obs-whip", true, obsPublisher),
  ]

  private static func lines(_ text: String) -> String {
    text.split(separator: "\n").joined(separator: "\r\n") + "\r\n"
  }

  private static func session(_ extra: String) -> String {
    "v=0\no=- 4611731400430051336 2 IN IP4 127.0.0.1\ns=-\nt=0 0\n" + extra + "\n"
  }

  // MARK: Chromium

  private static let chromiumTransport = """
    a=rtcp:9 IN IP4 0.0.0.0
    a=candidate:1 1 udp 2122194687 203.0.113.7 40001 typ host generation 0 network-id 1 network-cost 10
    a=candidate:2 1 udp 2122265343 2001:db8::7 40002 typ host generation 0 network-id 2
    a=candidate:3 1 udp 2122262783 6f1c5a34-0f0e-4dcb-9d5e-1be7e8d2f0aa.local 40003 typ host generation 0
    a=candidate:4 1 tcp 1518214911 203.0.113.7 9 typ host tcptype active generation 0 network-id 1
    a=ice-ufrag:Kq3+
    a=ice-pwd:p0o9i8u7y6t5r4e3w2q1AbCd
    a=ice-options:trickle
    a=fingerprint:\(fingerprint)
    a=setup:actpass
    """

  private static func chromiumAudio(_ direction: String) -> String {
    """
    m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
    c=IN IP4 0.0.0.0
    \(chromiumTransport)
    a=mid:0
    a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
    a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
    a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
    a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
    a=\(direction)
    a=rtcp-mux
    a=rtcp-rsize
    a=rtpmap:111 opus/48000/2
    a=rtcp-fb:111 transport-cc
    a=fmtp:111 minptime=10;useinbandfec=1
    a=rtpmap:63 red/48000/2
    a=fmtp:63 111/111
    a=rtpmap:9 G722/8000
    a=rtpmap:0 PCMU/8000
    a=rtpmap:8 PCMA/8000
    a=rtpmap:13 CN/8000
    a=rtpmap:110 telephone-event/48000
    a=rtpmap:126 telephone-event/8000
    """
  }

  private static func codec(_ type: Int, _ name: String, _ parameters: String?, repair: Int) -> String {
    let feedback = ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"].map { "a=rtcp-fb:\(type) \($0)" }
    let format = parameters.map { ["a=fmtp:\(type) \($0)"] } ?? []
    let repairs = ["a=rtpmap:\(repair) rtx/90000", "a=fmtp:\(repair) apt=\(type)"]
    return (["a=rtpmap:\(type) \(name)/90000"] + feedback + format + repairs).joined(separator: "\n")
  }

  private static func h264(_ type: Int, mode: Int, _ profile: String, repair: Int) -> String {
    codec(
      type, "H264", "level-asymmetry-allowed=1;packetization-mode=\(mode);profile-level-id=\(profile)", repair: repair)
  }

  private static func chromiumVideo(_ direction: String, end: String) -> String {
    """
    m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 107 108 109 114 115 116 117 45 46 98 99 100 101 118 119 120
    c=IN IP4 0.0.0.0
    \(chromiumTransport)
    a=mid:1
    a=extmap:14 urn:ietf:params:rtp-hdrext:toffset
    a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
    a=extmap:13 urn:3gpp:video-orientation
    a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
    a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
    a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
    a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
    a=\(direction)
    a=rtcp-mux
    a=rtcp-rsize
    \(codec(96, "VP8", nil, repair: 97))
    \(h264(102, mode: 1, "42001f", repair: 103))
    \(h264(104, mode: 0, "42001f", repair: 107))
    \(h264(108, mode: 1, "42e01f", repair: 109))
    \(h264(114, mode: 0, "42e01f", repair: 115))
    \(h264(116, mode: 1, "4d001f", repair: 117))
    \(codec(45, "AV1", "level-idx=5;profile=0;tier=0", repair: 46))
    \(codec(98, "VP9", "profile-id=0", repair: 99))
    \(codec(100, "VP9", "profile-id=2", repair: 101))
    a=rtpmap:118 red/90000
    a=rtpmap:119 rtx/90000
    a=fmtp:119 apt=118
    a=rtpmap:120 ulpfec/90000
    \(end)
    """
  }

  static func chromiumPublisher(simulcast: Bool) -> String {
    let end =
      simulcast
      ? "a=rid:q send\na=rid:h send\na=rid:f send\na=simulcast:send q;h;f"
      : "a=ssrc-group:FID 3000000001 3000000002\na=ssrc:3000000001 cname:room\na=ssrc:3000000002 cname:room"
    let top = session("a=group:BUNDLE 0 1\na=extmap-allow-mixed\na=msid-semantic: WMS camera")
    let audio = chromiumAudio("sendonly") + "\na=msid:camera sound\na=ssrc:3000000003 cname:room\n"
    return lines(top + audio + chromiumVideo("sendonly", end: "a=msid:camera picture\n" + end))
  }

  static let chromiumReceiver = lines(
    session("a=group:BUNDLE 0 1\na=extmap-allow-mixed\na=msid-semantic: WMS") + chromiumAudio("recvonly") + "\n"
      + chromiumVideo("recvonly", end: ""))

  // MARK: Firefox: attributes sorted, candidates of component 2, no H.264

  private static func firefoxSection(_ media: String, _ mid: Int, _ rest: String) -> String {
    """
    \(media)
    c=IN IP4 203.0.113.8
    a=candidate:0 1 UDP 2122187007 203.0.113.8 41000 typ host
    a=candidate:2 1 TCP 2105458943 203.0.113.8 9 typ host tcptype active
    a=candidate:0 2 UDP 2122187006 203.0.113.8 41001 typ host
    a=recvonly
    a=end-of-candidates
    a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
    a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
    a=extmap-allow-mixed
    a=ice-pwd:0123456789abcdef0123456789abcdef
    a=ice-ufrag:89abcdef
    a=mid:\(mid)
    a=rtcp:41001 IN IP4 203.0.113.8
    a=rtcp-mux
    a=setup:actpass
    a=ssrc:200000000\(mid) cname:{5e5b36e1-0000-4000-8000-3a3a3a3a3a3a}
    \(rest)
    """
  }

  static let firefoxReceiver = lines(
    """
    v=0
    o=mozilla...THIS_IS_SDPARTA-99.0 8338564017422854810 0 IN IP4 0.0.0.0
    s=-
    t=0 0
    a=sendrecv
    a=fingerprint:\(fingerprint)
    a=group:BUNDLE 0 1
    a=ice-options:trickle
    a=msid-semantic:WMS *

    """
      + firefoxSection(
        "m=audio 41000 UDP/TLS/RTP/SAVPF 109 9 0 8 101", 0,
        """
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
        a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
        a=fmtp:101 0-15
        a=rtpmap:109 opus/48000/2
        a=rtpmap:9 G722/8000/1
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000

        """)
      + firefoxSection(
        "m=video 41000 UDP/TLS/RTP/SAVPF 120 124 121 125 99 100 123 122 119", 1,
        """
        a=rtcp-rsize
        a=fmtp:120 max-fs=12288;max-fr=60
        a=fmtp:124 apt=120
        a=fmtp:125 apt=121
        a=fmtp:100 apt=99
        a=fmtp:119 apt=122
        a=rtcp-fb:120 nack
        a=rtcp-fb:120 nack pli
        a=rtcp-fb:120 ccm fir
        a=rtcp-fb:120 goog-remb
        a=rtcp-fb:120 transport-cc
        a=rtpmap:120 VP8/90000
        a=rtpmap:124 rtx/90000
        a=rtpmap:121 VP9/90000
        a=rtpmap:125 rtx/90000
        a=rtpmap:99 AV1/90000
        a=rtpmap:100 rtx/90000
        a=rtpmap:123 ulpfec/90000
        a=rtpmap:122 red/90000
        a=rtpmap:119 rtx/90000
        """))

  // MARK: GStreamer: bundled sections with port 0, codec names in capitals, parameter sets in the SDP

  private static func gstreamerSection(_ media: String, _ mid: String, _ rest: String, isFirst: Bool) -> String {
    let candidates =
      isFirst
      ? "a=candidate:1 1 UDP 2015363327 203.0.113.9 42000 typ host\na=candidate:7 1 UDP 201536383 fe80::1 4201 typ host"
      : "a=bundle-only"
    return """
      \(media)
      c=IN IP4 0.0.0.0
      a=setup:actpass
      a=ice-ufrag:S4HMngi6RfnWSycKXqKowwi7p5J2KCrA
      a=ice-pwd:xrSv6kyEvUK83FWHaVjO0hJ7yrBq1Abc
      a=rtcp-mux
      a=rtcp-rsize
      \(rest)
      a=mid:\(mid)
      a=fingerprint:\(fingerprint)
      a=rtcp-mux-only
      \(candidates)
      """
  }

  private static let gstreamerVideo = "a=rtcp-fb:102 nack pli\na=rtcp-fb:102 ccm fir\na=rtcp-fb:102 transport-cc"

  static let gstreamerPublisher = lines(
    session("a=ice-options:trickle\na=group:BUNDLE video0 audio1")
      + gstreamerSection(
        "m=video 9 UDP/TLS/RTP/SAVPF 102", "video0",
        """
        a=sendrecv
        a=rtpmap:102 H264/90000
        \(gstreamerVideo)
        a=framerate:25
        a=fmtp:102 packetization-mode=1;sprop-parameter-sets=Z0LAHtoCgL/=,aM48gA==;profile-level-id=42c01e
        a=ssrc:2100000001 msid:user1@host webrtctransceiver0
        a=ssrc:2100000001 cname:user1@host
        """, isFirst: true)
      + "\n"
      + gstreamerSection(
        "m=audio 0 UDP/TLS/RTP/SAVPF 111", "audio1",
        """
        a=sendrecv
        a=rtpmap:111 OPUS/48000/2
        a=rtcp-fb:111 transport-cc
        a=fmtp:111 sprop-stereo=0;sprop-maxcapturerate=48000
        a=ssrc:2100000002 cname:user1@host
        """, isFirst: false))

  static let gstreamerReceiver = lines(
    session("a=ice-options:trickle\na=group:BUNDLE audio0 video1")
      + gstreamerSection(
        "m=audio 9 UDP/TLS/RTP/SAVPF 111", "audio0", "a=recvonly\na=rtpmap:111 OPUS/48000/2", isFirst: true)
      + "\n"
      + gstreamerSection(
        "m=video 0 UDP/TLS/RTP/SAVPF 102", "video1",
        """
        a=recvonly
        a=rtpmap:102 H264/90000
        \(gstreamerVideo)
        a=fmtp:102 packetization-mode=1;profile-level-id=42e01f
        """, isFirst: false))

  // MARK: ffmpeg: DTLS server, no candidates, no feedback, no header extensions

  static let ffmpegPublisher = lines(
    """
    v=0
    o=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1
    s=FFmpegPublishSession
    t=0 0
    a=group:BUNDLE 0 1
    a=extmap-allow-mixed
    a=msid-semantic: WMS
    m=audio 9 UDP/TLS/RTP/SAVPF 111
    c=IN IP4 0.0.0.0
    a=ice-ufrag:1b2c3d4e
    a=ice-pwd:00112233445566778899aabbccddeeff
    a=fingerprint:\(fingerprint)
    a=setup:passive
    a=mid:0
    a=sendonly
    a=msid:FFmpeg audio
    a=rtcp-mux
    a=rtpmap:111 opus/48000/2
    a=ssrc:1100000001 cname:FFmpeg
    a=ssrc:1100000001 msid:FFmpeg audio
    m=video 9 UDP/TLS/RTP/SAVPF 106
    c=IN IP4 0.0.0.0
    a=ice-ufrag:1b2c3d4e
    a=ice-pwd:00112233445566778899aabbccddeeff
    a=fingerprint:\(fingerprint)
    a=setup:passive
    a=mid:1
    a=sendonly
    a=msid:FFmpeg video
    a=rtcp-mux
    a=rtcp-rsize
    a=rtpmap:106 H264/90000
    a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
    a=ssrc:1100000002 cname:FFmpeg
    a=ssrc:1100000002 msid:FFmpeg video
    """)

  // MARK: OBS: a second group, options with ice2, one codec each

  static let obsPublisher = lines(
    session("a=group:LS 0 1\na=group:BUNDLE 0 1\na=msid-semantic:WMS *\na=ice-options:ice2,trickle")
      + """
      a=ice-ufrag:obsx
      a=ice-pwd:obsobsobsobsobsobsobsobs
      a=setup:actpass
      a=fingerprint:\(fingerprint)
      m=audio 9 UDP/TLS/RTP/SAVPF 111
      c=IN IP4 0.0.0.0
      a=mid:0
      a=sendonly
      a=ssrc:1200000001 cname:obs
      a=ssrc:1200000001 msid:obs obs-audio
      a=msid:obs obs-audio
      a=rtcp-mux
      a=rtpmap:111 opus/48000/2
      a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
      m=video 9 UDP/TLS/RTP/SAVPF 96 97
      c=IN IP4 0.0.0.0
      a=mid:1
      a=sendonly
      a=ssrc-group:FID 1200000002 1200000003
      a=ssrc:1200000002 cname:obs
      a=ssrc:1200000003 cname:obs
      a=msid:obs obs-video
      a=rtcp-mux
      a=rtpmap:96 H264/90000
      a=rtcp-fb:96 nack
      a=rtcp-fb:96 nack pli
      a=rtcp-fb:96 goog-remb
      a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
      a=rtpmap:97 RTX/90000
      a=fmtp:97 apt=96
      """)
}
