"""SDP offers written by hand, as plain as RFC 9725 allows."""

FINGERPRINT = ":".join(f"{octet:02X}" for octet in range(32))
H264 = "m=video 9 UDP/TLS/RTP/SAVPF 102 103"
H264_LINES = [
    "a=rtpmap:102 H264/90000",
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    "a=rtcp-fb:102 nack",
    "a=rtcp-fb:102 nack pli",
    "a=rtpmap:103 rtx/90000",
    "a=fmtp:103 apt=102",
]
OPUS = "m=audio 9 UDP/TLS/RTP/SAVPF 111"
OPUS_LINES = ["a=rtpmap:111 opus/48000/2"]


def section(line: str, mid: int, direction: str, codec_lines: list[str]) -> list[str]:
    return [
        line,
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
        "a=rtcp-mux-only",
        "a=setup:actpass",
        *codec_lines,
    ]


def lines(direction: str = "sendonly", sections=None, fragment="abcd", password="0123456789012345678901") -> list[str]:
    """An offer of one audio and one video, or of the given (m-line, codec lines)."""
    sections = [(OPUS, OPUS_LINES), (H264, H264_LINES)] if sections is None else sections
    mids = " ".join(str(mid) for mid in range(len(sections)))
    result = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {mids}"]
    result += [f"a=ice-ufrag:{fragment}", f"a=ice-pwd:{password}", f"a=fingerprint:sha-256 {FINGERPRINT}"]
    for mid, (line, codec_lines) in enumerate(sections):
        result += section(line, mid, direction, codec_lines)
    return result


def text(offer: list[str]) -> str:
    return "\r\n".join(offer) + "\r\n"
