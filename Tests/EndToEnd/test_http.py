"""The HTTP of WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03), status by status."""

import re
import time
from urllib.parse import urljoin

import pytest

import offers

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
ORIGIN = {"Origin": "https://school.example"}


@pytest.fixture(autouse=True)
def lives(relay):
    yield
    relay.expect_alive()


@pytest.fixture(params=["whip", "whep"])
def endpoint(request, relay):
    """The endpoint and the direction its offers take."""
    place = relay.whip() if request.param == "whip" else relay.whep
    return place | {"kind": request.param, "direction": "sendonly" if request.param == "whip" else "recvonly"}


def post(relay, endpoint, body=None, token=True, headers=SDP):
    body = offers.text(offers.lines(endpoint["direction"])) if body is None else body
    token = endpoint["token"] if token is True else token
    return relay.request("POST", endpoint["url"], token, data=body, headers=dict(headers))


def opened(relay, endpoint):
    """URL and entity tag of a new session."""
    response = post(relay, endpoint)
    assert response.status_code == 201, response.text
    return urljoin(endpoint["url"], response.headers["Location"]), response.headers["ETag"]


def expect_problem(response, status: int) -> dict:
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    assert response.headers["Content-Type"].startswith("application/problem+json")
    problem = response.json()
    assert problem["status"] == status and problem["title"] and problem["detail"] and problem["type"]
    return problem


def test_post_answers_201_with_everything_a_client_needs(relay, endpoint):
    response = post(relay, endpoint)
    assert response.status_code == 201, response.text
    assert response.headers["Content-Type"] == "application/sdp"
    assert re.fullmatch(r'"[^"]+"', response.headers["ETag"]), "the entity tag is strong"
    session = urljoin(endpoint["url"], response.headers["Location"])
    assert len(session.rsplit("/", 1)[1]) >= 22, "the session's URL has at least 128 random bits"
    answer = response.text.splitlines()
    assert answer[0] == "v=0"
    assert answer.count("a=recvonly" if endpoint["kind"] == "whip" else "a=sendonly") == 2
    assert answer.count("a=rtcp-mux") == 2 and answer.count("a=rtcp-mux-only") == 2
    assert "a=ice-lite" in answer and "a=group:BUNDLE 0 1" in answer
    assert any(re.match(r"a=setup:(passive|active)", line) for line in answer)
    assert any(re.match(r"a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+ typ host", line) for line in answer)
    assert len(response.content) <= 8192, "ffmpeg takes no longer answer"
    assert relay.request("DELETE", session, endpoint["token"]).status_code == 200


def test_sessions_have_names_of_their_own(relay, endpoint):
    urls = {opened(relay, endpoint)[0] for _ in range(3)}
    assert len(urls) == 3


def test_wrong_content_type_is_415(relay, endpoint):
    expect_problem(post(relay, endpoint, headers={"Content-Type": "text/plain"}), 415)
    expect_problem(post(relay, endpoint, headers={"Content-Type": "application/json"}, body="{}"), 415)


@pytest.mark.parametrize(
    "line, text", [(3, "s"), (6, "nonsense"), (9, "m=audio"), (9, "m=audio notaport UDP/TLS/RTP/SAVPF 111")]
)
def test_malformed_sdp_is_400_and_names_the_line(relay, endpoint, line, text):
    offer = offers.lines(endpoint["direction"])
    offer[line - 1] = text
    problem = expect_problem(post(relay, endpoint, offers.text(offer)), 400)
    assert problem["line"] == line


@pytest.mark.parametrize("body", ["v=1\r\n", "hello", "\x00\x01\x02", "m=audio 9 x 1\r\n"])
def test_what_is_no_sdp_is_400(relay, endpoint, body):
    assert expect_problem(post(relay, endpoint, body), 400)["line"] == 1


def test_empty_body_is_400(relay, endpoint):
    expect_problem(post(relay, endpoint, ""), 400)


def without(direction, pattern):
    return [line for line in offers.lines(direction) if not re.match(pattern, line)]


@pytest.mark.parametrize("pattern", ["a=fingerprint", "a=ice-(ufrag|pwd)", "a=rtcp-mux", "m=|a=mid"])
def test_offer_without_what_is_needed_is_refused(relay, endpoint, pattern):
    response = post(relay, endpoint, offers.text(without(endpoint["direction"], pattern)))
    assert response.status_code in (400, 422), response.text
    expect_problem(response, response.status_code)


def test_unusable_offer_is_422_and_names_the_line(relay, endpoint):
    unknown = ("m=video 9 UDP/TLS/RTP/SAVPF 96", ["a=rtpmap:96 THEORA/90000"])
    offer = offers.lines(endpoint["direction"], [(offers.OPUS, offers.OPUS_LINES), unknown])
    response = post(relay, endpoint, offers.text(offer))
    if endpoint["kind"] == "whep" and response.status_code == 201:
        # RFC 3264: a receive line without a common codec may be rejected alone.
        assert "m=video 0 " in response.text
        return
    problem = expect_problem(response, 422)
    assert problem["line"] == offer.index(unknown[0]) + 1


def test_wrong_direction_is_422(relay, endpoint):
    other = "recvonly" if endpoint["kind"] == "whip" else "sendonly"
    expect_problem(post(relay, endpoint, offers.text(offers.lines(other))), 422)
    expect_problem(post(relay, endpoint, offers.text(offers.lines("inactive"))), 422)


def test_two_videos_to_publish_are_422(relay):
    videos = [(offers.H264, offers.H264_LINES)] * 2
    endpoint = relay.whip() | {"direction": "sendonly"}
    expect_problem(post(relay, endpoint, offers.text(offers.lines("sendonly", videos))), 422)


def test_token_missing_forged_or_for_something_else(relay, endpoint):
    for token in (None, "nonsense", endpoint["token"][:-4] + "AAAA"):
        response = post(relay, endpoint, token=token)
        expect_problem(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    # A teaching point may not publish, and the operator holds no seat.
    expect_problem(post(relay, relay.whip() | {"direction": "sendonly"}, token=relay.whep["token"]), 403)
    expect_problem(post(relay, endpoint, token=relay.operator), 403)
    now = int(time.time() * 1000)
    other = relay.make_lesson(now - 60_000, now + 600_000)
    foreign = other["whip"][0]["token"] if endpoint["kind"] == "whip" else other["whep"][0]["token"]
    expect_problem(post(relay, endpoint, token=foreign), 403)


def test_session_of_another_seat_is_403(relay):
    now = int(time.time() * 1000)
    made = relay.make_lesson(now - 60_000, now + 600_000, receivers=2)
    first, second = made["whep"]
    session, tag = opened(relay, first | {"direction": "recvonly"})
    expect_problem(relay.request("DELETE", session, second["token"]), 403)
    expect_problem(relay.request("DELETE", session), 401)
    assert relay.request("DELETE", session, first["token"]).status_code == 200


def test_lesson_outside_its_window_is_409_with_retry_after(relay):
    now = int(time.time() * 1000)
    later = relay.make_lesson(now + 24 * 3_600_000, now + 25 * 3_600_000)
    for place, direction in ((later["whip"][0], "sendonly"), (later["whep"][0], "recvonly")):
        response = post(relay, place | {"direction": direction})
        expect_problem(response, 409)
        assert int(response.headers["Retry-After"]) > 0


def test_armed_lesson_answers_receivers_before_anybody_publishes(relay):
    now = int(time.time() * 1000)
    made = relay.make_lesson(now - 1_000, now + 600_000)
    opened(relay, made["whep"][0] | {"direction": "recvonly"})


def test_unknown_places_are_404(relay, endpoint):
    unknown = re.sub(r"/lessons/[^/]+", "/lessons/00000000-0000-7000-8000-000000000000", endpoint["url"])
    expect_problem(post(relay, endpoint | {"url": unknown}), 404)
    expect_problem(post(relay, endpoint | {"url": re.sub(r"/lessons/[^/]+", "/lessons/x", endpoint["url"])}), 404)
    if endpoint["kind"] == "whip":
        expect_problem(post(relay, endpoint | {"url": endpoint["url"] + "s"}), 404)
    session, tag = opened(relay, endpoint)
    none = session.rsplit("/", 1)[0] + "/" + "x" * 32
    expect_problem(relay.request("DELETE", none, endpoint["token"]), 404)
    headers = FRAGMENT | {"If-Match": tag}
    expect_problem(relay.request("PATCH", none, endpoint["token"], data="a=end-of-candidates\r\n", headers=headers), 404)


def test_too_large_a_body_is_413(relay, endpoint):
    offer = offers.text(offers.lines(endpoint["direction"])) + "a=x:" + "y" * 70_000_0 + "\r\n"
    expect_problem(post(relay, endpoint, offer), 413)


def test_endpoints_answer_get_without_content_and_head(relay, endpoint):
    for url in (endpoint["url"], opened(relay, endpoint)[0]):
        response = relay.request("GET", url, endpoint["token"])
        assert 200 <= response.status_code < 300 and response.content == b""
    if endpoint["kind"] == "whep":
        head = relay.request("HEAD", endpoint["url"], endpoint["token"])
        assert head.status_code == 200 and head.headers["Content-Type"] == "application/sdp"


def test_options_and_cors_of_another_origin(relay, endpoint):
    asked = ORIGIN | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,if-match",
    }
    session, _ = opened(relay, endpoint)
    for url in (endpoint["url"], session):
        response = relay.request("OPTIONS", url, headers=dict(asked))
        assert response.status_code in (200, 204), "a preflight carries no token"
        assert response.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN["Origin"])
        allowed = response.headers["Access-Control-Allow-Headers"].lower()
        assert all(name in allowed for name in ("authorization", "content-type", "if-match"))
        assert "Link" not in response.headers
    methods = relay.request("OPTIONS", session, headers=dict(asked)).headers["Access-Control-Allow-Methods"]
    assert "PATCH" in methods and "DELETE" in methods
    plain = relay.request("OPTIONS", endpoint["url"])
    assert plain.status_code == 200 and plain.headers["Accept-Post"] == "application/sdp"
    exposed = post(relay, endpoint, headers=SDP | ORIGIN).headers["Access-Control-Expose-Headers"].lower()
    assert all(name in exposed for name in ("location", "etag", "link", "retry-after"))
    refused = post(relay, endpoint, token=None, headers=SDP | ORIGIN)
    assert refused.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN["Origin"]), "a page can read refusals too"


def fragment(user="abcd", password="0123456789012345678901", candidates=()) -> str:
    lines = [f"a=ice-ufrag:{user}", f"a=ice-pwd:{password}", "m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0"]
    return offers.text(lines + [f"a=candidate:{each}" for each in candidates] + ["a=end-of-candidates"])


def test_patch_with_candidates_is_204(relay, endpoint):
    session, tag = opened(relay, endpoint)
    body = fragment(
        candidates=[
            "1 1 udp 2122260223 127.0.0.1 9 typ host",
            "2 1 udp 2122260222 0c8fbd3e-3b9c-4a0e-8f53-4e9fb2a0b1aa.local 9 typ host",
            "3 1 quic 1 127.0.0.1 9 typ host",
        ]
    )
    response = relay.request("PATCH", session, endpoint["token"], data=body, headers=FRAGMENT | {"If-Match": tag})
    assert response.status_code == 204 and response.content == b"" and "ETag" not in response.headers


def test_patch_with_new_credentials_restarts_ice(relay, endpoint):
    session, tag = opened(relay, endpoint)
    body = fragment(user="wxyz", password="abcdefghijklmnopqrstuv")
    response = relay.request("PATCH", session, endpoint["token"], data=body, headers=FRAGMENT | {"If-Match": "*"})
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/trickle-ice-sdpfrag"
    assert response.headers["ETag"] != tag
    assert re.search(r"^a=ice-ufrag:\S{4,}\r?$", response.text, re.MULTILINE)
    assert re.search(r"^a=ice-pwd:\S{22,}\r?$", response.text, re.MULTILINE)
    assert "a=candidate:" in response.text
    late = relay.request(
        "PATCH", session, endpoint["token"], data=fragment("wxyz"), headers=FRAGMENT | {"If-Match": tag}
    )
    expect_problem(late, 412)
    fresh = {"If-Match": response.headers["ETag"]}
    body = fragment("wxyz", "abcdefghijklmnopqrstuv")
    assert relay.request("PATCH", session, endpoint["token"], data=body, headers=FRAGMENT | fresh).status_code == 204


def test_patch_preconditions_and_types(relay, endpoint):
    session, tag = opened(relay, endpoint)

    def patch(body, headers):
        return relay.request("PATCH", session, endpoint["token"], data=body, headers=headers)

    expect_problem(patch(fragment(), FRAGMENT), 428)
    expect_problem(patch(fragment(), FRAGMENT | {"If-Match": '"stale"'}), 412)
    expect_problem(patch("{}", {"Content-Type": "application/json", "If-Match": tag}), 415)
    expect_problem(patch("\x00nonsense", FRAGMENT | {"If-Match": tag}), 400)
    assert patch(fragment(), FRAGMENT | {"If-Match": tag}).status_code == 204, "the session is still there"


def test_delete_ends_the_session_whatever_if_match_says(relay, endpoint):
    session, _ = opened(relay, endpoint)
    assert relay.request("DELETE", session, endpoint["token"], headers={"If-Match": '"stale"'}).status_code == 200
    expect_problem(relay.request("DELETE", session, endpoint["token"]), 404)


def test_problems_come_in_the_language_asked_for(relay, endpoint):
    chinese = post(relay, endpoint, token=None, headers=SDP | {"Accept-Language": "zh-CN,zh;q=0.9"}).json()
    english = post(relay, endpoint, token=None, headers=SDP | {"Accept-Language": "en-GB,en;q=0.9"}).json()
    assert re.search(r"[\u4e00-\u9fff]", chinese["title"]) and english["title"].isascii()
    assert chinese["type"] == english["type"]


def test_full_relay_is_503_with_retry_after(start_relay):
    small = start_relay(config={"sessionLimit": 1})
    endpoint = small.whep | {"direction": "recvonly"}
    opened(small, endpoint)
    response = post(small, endpoint)
    expect_problem(response, 503)
    assert int(response.headers["Retry-After"]) > 0


def test_too_many_offers_are_429_and_others_are_not_held_up(start_relay):
    relay = start_relay()
    endpoint = relay.whip() | {"direction": "sendonly"}
    statuses = []
    for _ in range(60):
        response = post(relay, endpoint)
        statuses.append(response.status_code)
        if response.status_code == 429:
            break
        # A seat has few sessions at a time; this one makes room for the next.
        relay.request("DELETE", urljoin(endpoint["url"], response.headers["Location"]), endpoint["token"])
    assert set(statuses[:-1]) == {201} and len(statuses) > 20, statuses
    expect_problem(response, 429)
    assert int(response.headers["Retry-After"]) > 0
    opened(relay, relay.whep | {"direction": "recvonly"})


def test_too_many_changes_of_a_session_are_429(start_relay):
    relay = start_relay()
    endpoint = relay.whep | {"direction": "recvonly"}
    session, tag = opened(relay, endpoint)
    for _ in range(1_000):
        response = relay.request(
            "PATCH", session, endpoint["token"], data=fragment(), headers=dict(FRAGMENT) | {"If-Match": '"stale"'}
        )
        if response.status_code != 412:
            break
    expect_problem(response, 429)
    assert int(response.headers["Retry-After"]) > 0


def test_health_readiness_metrics_and_the_description(relay):
    assert relay.request("GET", "/healthz").status_code == 200
    assert relay.request("GET", "/readyz").status_code == 200
    metrics = relay.request("GET", "/metrics")
    assert metrics.headers["Content-Type"].startswith("text/plain")
    assert "# TYPE tongke_packets_received_total counter" in metrics.text
    described = relay.request("GET", "/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.") and "/whip/lessons/{lesson}/{feed}" in described["paths"]


def test_bad_json_and_ranges_of_lessons_are_refused(relay):
    now = int(time.time() * 1000)
    good = {"title": "x", "plannedStart": now, "plannedEnd": now + 60_000, "receivers": 1}
    bad = [{}, [], good | {"receivers": -1}, good | {"receivers": 10**6}, good | {"plannedEnd": now - 1}]
    bad += [good | {"plannedStart": "soon"}, good | {"title": "x" * 100_000}]
    for body in bad:
        response = relay.request("POST", "/api/v1/lessons", relay.operator, json=body)
        assert 400 <= response.status_code < 500, f"{body}: {response.status_code}"
        expect_problem(response, response.status_code)
    # Nested deeper than a decoder goes, and ending there.
    panes = f"/api/v1/lessons/{relay.place['lesson']}/peers/1/panes"
    for depth in [1, 512, 513, 514, 60_000]:
        for method, path in [("POST", "/api/v1/lessons"), ("PUT", panes)]:
            json = {"Content-Type": "application/json"}
            expect_problem(relay.request(method, path, relay.operator, headers=json, data="[" * depth), 400)
    expect_problem(relay.request("POST", "/api/v1/lessons", relay.whep["token"], json=good), 403)
