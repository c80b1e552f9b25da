"""A camera over the wire: HTTPS by the relay's own CA, which is all the browser is told to trust."""

import os
import shlex
import subprocess

import pytest

import browser
import network
import watching
from test_page import Stage
from waiting import eventually


@pytest.fixture
def start_chromium(playwright, wire, tmp_path, camera, sound):
    """A Chromium on the other machine, with a home folder that holds what it trusts."""
    started = []

    def start(home):
        home.mkdir(exist_ok=True)
        launcher = tmp_path / f"chromium-{len(started)}"
        inside = " ".join(wire.prefix(wire.room))
        launcher.write_text(f'#!/bin/sh\nexec {inside} env HOME={shlex.quote(str(home))} {browser.CHROMIUM} "$@"\n')
        launcher.chmod(0o755)
        arguments = browser.arguments(camera.path, sound)
        instance = playwright.chromium.launch(
            executable_path=str(launcher),
            args=arguments,
            ignore_default_args=["--mute-audio"],
            env=os.environ | {"HOME": str(home)},
            timeout=30_000,
        )
        started.append(instance)
        return instance

    yield start
    for each in started:
        each.close()


def fetch(wire, *arguments: str) -> str:
    """What curl says on the other machine."""
    done = subprocess.run(
        [*wire.prefix(wire.room), "curl", "--silent", "--max-time", "10", *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, f"curl {arguments}: {done.returncode} {done.stderr}"
    return done.stdout


def trust(authority, home):
    store = home / ".pki/nssdb"
    store.mkdir(parents=True)
    database = f"sql:{store}"
    subprocess.run(["certutil", "-d", database, "-N", "--empty-password"], check=True, timeout=20)
    subprocess.run(
        ["certutil", "-d", database, "-A", "-t", "C,,", "-n", "relay", "-i", str(authority)], check=True, timeout=20
    )


@pytest.mark.timeout(120)
def test_camera_over_the_wire_with_only_the_relays_ca_trusted(wire, start_relay, start_chromium, tmp_path, camera):
    address = network.RELAY_ADDRESS
    relay = start_relay(http=f"{address}:18080", config={"https": f"{address}:18443"}, prefix=wire.prefix(wire.relay))
    links = relay.place["page"]
    assert links["lead"].startswith(f"https://{address}:18443/"), "links lead to HTTPS"

    # The plain port gives the way to trust, and leads everything else to HTTPS.
    page = fetch(wire, f"http://{address}:18080/trust")
    assert "/ca.crt" in page
    headers = fetch(wire, "--head", f"http://{address}:18080/")
    assert " 30" in headers.splitlines()[0] and f"https://{address}:18443/" in headers
    authority = tmp_path / "ca.crt"
    authority.write_text(fetch(wire, f"http://{address}:18080/ca.crt"))
    assert "BEGIN CERTIFICATE" in authority.read_text() and "PRIVATE" not in authority.read_text()
    assert fetch(wire, "--cacert", str(authority), f"https://{address}:18443/healthz").strip() == "ok"

    stranger = start_chromium(tmp_path / "stranger").new_page()
    with pytest.raises(Exception, match="ERR_CERT_AUTHORITY_INVALID"):
        stranger.goto(links["lead"])
    stranger.context.browser.close()

    home = tmp_path / "home"
    trust(authority, home)
    chromium = start_chromium(home)
    lead = chromium.new_page()
    lead.goto(links["lead"])
    lead.click("#publish-camera")
    room = chromium.new_page()
    room.goto(links["receiver"])
    stage = Stage(room)
    enter = room.locator("#enter")
    eventually(lambda: stage.frames() or (enter.is_visible() and enter.click()), 15, stage.statistics)
    watching.expect_lesson(stage, camera.frames)
