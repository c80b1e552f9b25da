"""Records the sizes of a real Chromium's H.264 packets, as chromium-h264-packets.csv holds them.

As root, with the environment of the end-to-end tests and a built relay:
    .venv/end-to-end/bin/python Tests/Fixtures/record_chromium_packets.py > Tests/Fixtures/chromium-h264-packets.csv

A Chromium publishes a generated picture of 1280x720 at 25 a second over WHIP; after its rate has settled, ten seconds of
its video are read off the loopback device. Headers of SRTP are in clear; payloads are counted, not kept. Numbers,
timestamps and times are told from the first packet on. Bytes are those of the RTP payload: header, extensions and the
tag of AEAD_AES_128_GCM are taken off.
"""

import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "EndToEnd"))

from playwright.sync_api import sync_playwright  # noqa: E402

import browser  # noqa: E402
import media  # noqa: E402
import relay as relays  # noqa: E402

SETTLING, RECORDING, TAG = 25, 10, 16


def capture(seconds):
    """(time in ns, payload type, sequence, timestamp, marker, SSRC, payload bytes) of RTP that leaves over loopback."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
    raw.bind(("lo", 0))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    raw.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
    raw.settimeout(0.5)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            data, control, _, address = raw.recvmsg(65_536, 256)
        except TimeoutError:
            continue
        if address[2] != 4:  # PACKET_OUTGOING: each is seen once more as it comes in
            continue
        if data[0] >> 4 == 4 and data[9] == 17:
            udp = data[(data[0] & 15) * 4 :]
        elif data[0] >> 4 == 6 and data[6] == 17:
            udp = data[40:]
        else:
            continue
        packet = udp[8:]
        if len(packet) < 12 or not 128 <= packet[0] < 192 or 192 <= packet[1] < 224:
            continue
        sequence, timestamp, ssrc = struct.unpack_from(">HII", packet, 2)
        header = 12 + 4 * (packet[0] & 15)
        if packet[0] & 16:
            header += 4 + 4 * struct.unpack_from(">H", packet, header + 2)[0]
        seconds_part, nanoseconds = struct.unpack("ll", control[0][2])
        at = seconds_part * 1_000_000_000 + nanoseconds
        yield at, packet[1] & 127, sequence, timestamp, packet[1] >> 7, ssrc, len(packet) - header - TAG


def main():
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        place = Path(folder)
        picture = "mandelbrot=size=1280x720:rate=25:start_scale=2:end_scale=0.02"
        command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, "-t", "8", "-pix_fmt", "yuv420p"]
        subprocess.run([*command, str(place / "camera.y4m")], check=True)
        media.write_wav(place / "sound.wav", 4)
        chromium = playwright.chromium.launch(
            executable_path=browser.CHROMIUM, args=browser.arguments(place / "camera.y4m", place / "sound.wav")
        )
        pages = browser.PageServer()
        relay = relays.Relay(place / "relay").start()
        try:
            tab = browser.Tab(chromium.new_context(), pages.url)
            lead = tab.publish(relay.whip(), codec="H264", width=1_280, height=720, rate=25).connected()
            time.sleep(SETTLING)
            packets = list(capture(RECORDING))
            lead.leave()
        finally:
            relay.stop()
            pages.close()
            chromium.close()
    write(packets)


def write(packets):
    bytes_of = {}
    for each in packets:
        bytes_of[each[5]] = bytes_of.get(each[5], 0) + each[6]
    video = max(bytes_of, key=bytes_of.get)
    packets = [each for each in packets if each[5] == video]
    # From the start of a picture to the end of one.
    first = next(index for index, each in enumerate(packets) if each[4]) + 1
    last = len(packets) - next(index for index, each in enumerate(reversed(packets)) if each[4])
    packets = packets[first:last]
    start, _, sequence, timestamp = packets[0][:4]
    print("microseconds,sequence,timestamp,marker,bytes")
    for each in packets:
        number, tick = (each[2] - sequence) & 0xFFFF, (each[3] - timestamp) & 0xFFFFFFFF
        print(f"{(each[0] - start) // 1000},{number},{tick},{each[4]},{each[6]}")


if __name__ == "__main__":
    main()
