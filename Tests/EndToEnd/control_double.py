"""A relay's /api/v1 with answers that a test gives it, which keeps what it was asked."""

import http.server
import json
import threading
import urllib.parse
from dataclasses import dataclass, field


@dataclass
class Asked:
    method: str
    path: str
    query: dict
    headers: dict
    body: object = None


@dataclass
class Answer:
    value: object
    status: int = 200
    headers: dict = field(default_factory=dict)


class ControlDouble:
    def __init__(self):
        self.answers: dict[tuple[str, str], Answer] = {}
        self.asked: list[Asked] = []
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self):
                place = urllib.parse.urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                query = {name: values[0] for name, values in urllib.parse.parse_qs(place.query).items()}
                path = urllib.parse.unquote(place.path)
                asked = Asked(self.command, path, query, dict(self.headers), json.loads(body) if body else None)
                double.asked.append(asked)
                missing = Answer({"type": "urn:tongke:problem:notFound", "title": "gone", "status": 404, "detail": ""}, 404)
                answer = double.answers.get((self.command, path), missing)
                value = answer.value(asked) if callable(answer.value) else answer.value
                data = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(answer.status)
                for name, text in answer.headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = answer
            do_POST = answer

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def on(self, method: str, path: str, value, status: int = 200, **headers) -> None:
        names = {name.replace("_", "-"): text for name, text in headers.items()}
        self.answers[(method, "/api/v1/" + path)] = Answer(value, status, names)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
