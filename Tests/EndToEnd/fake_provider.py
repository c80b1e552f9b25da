"""A small identity provider (OpenID Connect) and a small platform of the ticket kind, honest unless told otherwise."""

import base64
import hashlib
import hmac
import http.server
import json
import secrets
import threading
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa


class _Server:
    """An HTTP server on a free loopback port, or one that is told."""

    def __init__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                outer.answer(self, b"")

            def do_POST(self):
                outer.answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

        self.asked: list[str] = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @staticmethod
    def send(handler, value, status: int = 200, **headers) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        handler.send_response(status)
        for name, text in headers.items():
            handler.send_header(name, text)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)


class Provider(_Server):
    """Signs with RS256 or ES256; `fault` names what it does wrong."""

    CLIENT, SECRET = "tongke", "s+e/c ret"

    def __init__(self, algorithm: str = "RS256"):
        self.algorithm = algorithm
        self.subject = "u-1001"
        self.fault = ""
        self.codes: dict[str, dict] = {}
        self.make_key()
        super().__init__()

    def make_key(self) -> None:
        self.name = secrets.token_hex(4)
        if self.algorithm == "RS256":
            self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            self.key = ec.generate_private_key(ec.SECP256R1())

    def answer(self, handler, body: bytes) -> None:
        place = urlsplit(handler.path)
        self.asked.append(place.path)
        if self.fault == "slow " + place.path:
            # A byte now and then: each by itself comes in time.
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            try:
                for _ in range(60):
                    handler.wfile.write(b" ")
                    time.sleep(1)
            except OSError:
                pass
            return
        if self.fault == "large " + place.path:
            return self.send(handler, b'{"a":"' + b"x" * 5_000_000 + b'"}')
        if self.fault == "down " + place.path:
            return handler.connection.close()
        if self.fault == "redirects " + place.path:
            return self.send(handler, {}, 302, Location=self.url + "/elsewhere")
        {
            "/.well-known/openid-configuration": self.describe,
            "/auth": self.authorize,
            "/token": self.redeem,
            "/keys": self.keys,
        }.get(place.path, lambda handler, *_: self.send(handler, {}, 404))(handler, parse_qs(place.query), body)

    def describe(self, handler, *_) -> None:
        issuer = "https://evil.example" if self.fault == "describes another" else self.url
        self.send(
            handler,
            {
                "issuer": issuer, "authorization_endpoint": self.url + "/auth", "token_endpoint": self.url + "/token",
                "jwks_uri": self.url + "/keys", "response_types_supported": ["code"],
            },
        )  # fmt: skip

    def authorize(self, handler, query, *_) -> None:
        """Whoever comes is signed in at once."""
        asked = {name: values[0] for name, values in query.items()}
        assert asked["client_id"] == self.CLIENT and asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})
        self.send(handler, {}, 302, Location=back)

    def redeem(self, handler, _, body: bytes) -> None:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        pair = base64.b64encode(b"tongke:s%2Be%2Fc%20ret").decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or handler.headers.get("Authorization") != "Basic " + pair
            or challenge.rstrip(b"=").decode() != asked["code_challenge"]
            or form.get("redirect_uri") != asked["redirect_uri"]
        ):
            return self.send(handler, {"error": "invalid_grant"}, 400)
        self.send(handler, {"access_token": "x", "token_type": "Bearer", "id_token": self.token(asked)})

    def token(self, asked: dict) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url, "sub": self.subject, "aud": self.CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"],
        }  # fmt: skip
        if self.fault == "nonce":
            claims["nonce"] = "another"
        if self.fault == "audience":
            claims["aud"] = "other"
        if self.fault == "expired":
            claims["exp"] = now - 120
        if self.fault == "issuer":
            claims["iss"] = "https://evil.example"
        if self.fault == "none":
            return jwt.encode(claims, None, algorithm="none", headers={"kid": self.name})
        if self.fault == "shared":
            return jwt.encode(claims, "the public key as a secret, 32 bytes", algorithm="HS256", headers={"kid": self.name})
        key = self.key
        if self.fault == "forged":
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": self.name})

    def keys(self, handler, *_) -> None:
        algorithm = jwt.algorithms.RSAAlgorithm if self.algorithm == "RS256" else jwt.algorithms.ECAlgorithm
        key = algorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.send(handler, {"keys": [{**key, "kid": self.name, "use": "sig"}]})


class Platform(_Server):
    """Takes each ticket once; knows the application by its HMAC."""

    APPLICATION, KEY = "1000", "key7"

    def __init__(self):
        self.tickets = {"t-good": "p-42", "t-stranger": "p-99"}
        self.fault = ""
        self.access = ""
        super().__init__()

    def answer(self, handler, body: bytes) -> None:
        place = urlsplit(handler.path)
        self.asked.append(place.path)
        asked = json.loads(body)
        if self.fault == "large":
            return self.send(handler, b'{"retCode":"' + b"0" * 5_000_000 + b'"}')
        if place.path == "/gateway/getAccessToken":
            message = self.APPLICATION + self.KEY + asked["timeStamp"]
            wanted = hmac.new(self.KEY.encode(), message.encode(), hashlib.sha1).hexdigest().upper()
            if asked["keyInfo"] != wanted or asked["appId"] != self.APPLICATION:
                return self.send(handler, {"retCode": "100001"})
            self.access = secrets.token_hex(8)
            return self.send(handler, {"retCode": "000000", "data": {"accessToken": self.access}})
        if place.path == "/gateway/userSession/validaTicket":
            user = self.tickets.pop(asked["ticket"], None)
            if parse_qs(place.query).get("accessToken") != [self.access] or user is None:
                return self.send(handler, {"retCode": "300001"})
            return self.send(handler, {"retCode": "000000", "data": {"userId": user, "name": "x"}})
        self.send(handler, {}, 404)
