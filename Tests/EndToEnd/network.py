"""Two machines and a wire between them: network namespaces joined by a veth pair. Needs root."""

import os
import subprocess

RELAY_ADDRESS = "198.51.100.1"
ROOM_ADDRESS = "198.51.100.2"


class Wire:
    def __init__(self):
        name = f"tk{os.getpid() % 100_000}"
        self.relay, self.room = name + "r", name + "c"
        try:
            self._join()
        except RuntimeError:
            self.close()
            raise

    def _join(self):
        self._command(f"ip netns add {self.relay}")
        self._command(f"ip netns add {self.room}")
        self._command(f"ip -n {self.relay} link add wire type veth peer name wire netns {self.room}")
        for space, address in ((self.relay, RELAY_ADDRESS), (self.room, ROOM_ADDRESS)):
            self._command(f"ip -n {space} link set lo up")
            self._command(f"ip -n {space} link set wire up")
            self._command(f"ip -n {space} addr add {address}/24 dev wire")

    @staticmethod
    def _command(command: str):
        done = subprocess.run(command.split(), capture_output=True, text=True, timeout=10)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr.strip()} (network namespaces need root)")

    @staticmethod
    def prefix(space: str) -> list[str]:
        return ["ip", "netns", "exec", space]

    def block_udp(self):
        """The room's network carries no UDP from now on, as many schools' do."""
        for command in ("iptables", "ip6tables"):
            for chain in ("INPUT", "OUTPUT"):
                self._command(f"ip netns exec {self.room} {command} -A {chain} -p udp -j DROP")

    def close(self):
        for space in (self.relay, self.room):
            subprocess.run(["ip", "netns", "del", space], capture_output=True, timeout=10)
