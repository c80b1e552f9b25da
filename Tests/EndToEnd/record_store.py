"""Ralph, a real learning record store, as a process of its own behind a line that can be broken on purpose."""

import datetime
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "tongke", "a secret of the test"

# Its file store answers 500 to every write after the first unless writes append.
START = """
import uvicorn
from ralph.backends.data.base import BaseOperationType
from ralph.backends.data.fs import FSDataBackend
FSDataBackend.default_operation_type = BaseOperationType.APPEND
import ralph.api
uvicorn.run(ralph.api.app, host="127.0.0.1", port={port}, log_level="warning")
"""


def make_certificate(path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody vouches for, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(1)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
        .add_extension(address, False).add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    form = serialization.Encoding.PEM
    secret = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(form) + secret)
    path.with_suffix(".trust.pem").write_bytes(made.public_bytes(form))
    return path


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


class Ralph:
    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.log = folder / "ralph.log"
        self.env = os.environ | {
            "RALPH_APP_DIR": str(folder), "RALPH_AUTH_FILE": str(folder / "auth.json"), "RALPH_RUNSERVER_BACKEND": "fs",
            "RALPH_BACKENDS__LRS__FS__DEFAULT_DIRECTORY_PATH": str(folder / "statements"),
            "RALPH_BACKENDS__DATA__FS__DEFAULT_DIRECTORY_PATH": str(folder / "statements"),
        }  # fmt: skip
        (folder / "statements").mkdir(exist_ok=True)
        subprocess.run(
            [
                Path(sys.executable).with_name("ralph"), "auth", "-u", USER, "-p", PASSWORD, "-s", "statements/write",
                "-s", "statements/read", "-A", "tongke", "https://relay.example.cn", "-w",
            ],
            env=self.env, check=True, timeout=60, capture_output=True,
        )  # fmt: skip
        self.process = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/xAPI"

    def start(self) -> "Ralph":
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START.format(port=self.port)], env=self.env, stdout=log, stderr=log
            )
        for _ in range(300):
            try:
                if requests.get(f"http://127.0.0.1:{self.port}/__heartbeat__", timeout=2).status_code < 500:
                    return self
            except requests.ConnectionError:
                pass
            assert self.process.poll() is None, self.log.read_text()[-3_000:]
            time.sleep(0.1)
        raise AssertionError("Ralph does not answer\n" + self.log.read_text()[-3_000:])

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def statements(self) -> list[dict]:
        """All that it has, from its own file: each line a statement."""
        files = [each for each in (self.folder / "statements").rglob("*.jsonl") if each.is_file()]
        return [json.loads(line) for each in files for line in each.read_text().splitlines() if line.strip()]


class Line:
    """A proxy before the store whose `fault` says what becomes of the next requests."""

    def __init__(self, target: str, certificate: Path | None = None):
        self.fault = None
        self.requests = []
        line = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status: int, body: bytes = b"", **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self.carry("GET", None)

            def do_POST(self):
                self.carry("POST", self.rfile.read(int(self.headers["Content-Length"])))

            def carry(self, method, body):
                fault = line.fault
                line.requests.append((method, dict(self.headers), body, fault))
                if fault == "answer":
                    return self.answer(200, json.dumps([each["id"] for each in json.loads(body)]).encode())
                if fault == "500":
                    return self.answer(500, b"sorry")
                if fault == "garbage":
                    return self.answer(200, b"<html>sign in to the network</html>")
                if fault == "503":
                    return self.answer(503, b"", Retry_After="1")
                if fault == "413" and body and len(body) > 4_000:
                    return self.answer(413)
                headers = {
                    name: self.headers[name]
                    for name in ("Authorization", "Content-Type", "X-Experience-API-Version")
                    if self.headers[name]
                }
                try:
                    answer = requests.request(method, target + self.path, data=body, headers=headers, timeout=20)
                except requests.RequestException:
                    self.close_connection = True
                    return self.connection.close()
                if fault == "lost":
                    # It took them, and nobody hears of it.
                    self.close_connection = True
                    return self.connection.close()
                self.answer(answer.status_code, answer.content, Content_Type="application/json")

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def main(arguments: list[str]) -> int:
    """Runs a command twice, against Ralph and against a store that only answers."""
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "secret"
        secret.write_text(PASSWORD)
        ralph = Ralph(Path(folder) / "ralph").start()
        line = Line(ralph.endpoint)
        line.fault = "answer"
        try:
            for name, endpoint in (("Ralph, files", ralph.endpoint), ("a store that only answers", line.endpoint)):
                more = ["--endpoint", endpoint, "--user", USER, "--password-file", str(secret), "--name", name]
                code = subprocess.run([*arguments, *more]).returncode
                if code:
                    return code
        finally:
            line.close()
            ralph.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
