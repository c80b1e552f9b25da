"""People and devices get in without a password: by links, terminals, second factors, identity providers and tickets, with
the real commands, the real page and small providers of the tests' own."""

import base64
import hashlib
import hmac
import json
import os
import re
import socket
import struct
import subprocess
import time

import pytest
import requests

import fake_provider
import relay as relays
from waiting import eventually

# The first receiving room of lessons outside any timetable.
OPEN_ROOM = "6f70656e-0000-8002-8000-000000000001"
PLACES = {
    "institutions.csv": "编号,名称,类型,中心校,区县\nA01,中心小学,学校,,甲县\nB01,石壁坳教学点,教学点,A01,甲县\n",
    "rooms.csv": "教室编号,学校编号,名称,验收日期,下行带宽,上行带宽\n"
    "A01-1,A01,录播教室,2026/8/20,100000,50000\nB01-1,B01,教室一,2026/8/20,20000,10000\n",
    "teachers.csv": "学校编号,工号,姓名\nA01,1001,李红\nB01,1002,王霞\n",
}


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


def code_of(secret: str, step: int = 0) -> str:
    """RFC 6238, by another hand than the relay's."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + step), hashlib.sha1).digest()
    offset = digest[19] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


class County:
    """A relay with two schools, and the command line of whoever is logged in."""

    def __init__(self, start_relay, folder, config):
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        config = {"publicAddress": self.base} | config
        self.relay = start_relay(folder=folder / "relay", config=config, http=f"127.0.0.1:{port}", sample=True)
        self.folder = folder
        self.login("operator", self.relay.run("token", "issue").stdout)
        files = []
        for name, text in PLACES.items():
            (folder / name).write_text(text)
            files.append(folder / name)
        self("import", *files)

    def run(self, *arguments, input=None, who="operator") -> subprocess.CompletedProcess:
        environment = {"HOME": str(self.folder / who), "PATH": os.environ["PATH"], "LC_ALL": "zh_CN.UTF-8"}
        return subprocess.run(
            [relays.EXECUTABLE, *map(str, arguments)], capture_output=True, text=True, input=input, timeout=60,
            env=environment,
        )  # fmt: skip

    def __call__(self, *arguments, code=0, input=None, who="operator") -> str:
        done = self.run(*arguments, input=input, who=who)
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def login(self, who: str, text: str, *options) -> str:
        (self.folder / who).mkdir(exist_ok=True)
        return self("login", self.base, *options, input=text, who=who)

    def link(self, person: str) -> str:
        return json.loads(self("account", "link", person, "--json"))["link"]

    def post(self, path: str, body: dict, token=None, **headers) -> requests.Response:
        if token:
            headers["Authorization"] = "Bearer " + token
        headers.setdefault("Accept-Language", "zh-CN")
        return requests.post(f"{self.base}/api/v1/{path}", json=body, headers=headers, timeout=30)

    def kind(self, answer: requests.Response) -> str:
        return answer.json().get("type", "").split(":")[-1]


@pytest.fixture
def county(start_relay, tmp_path):
    return lambda **config: County(start_relay, tmp_path, config)


# The command line


@pytest.mark.timeout(120)
def test_an_account_is_made_let_in_at_a_terminal_and_taken_back(county):
    tongke = county()
    tongke("account", "grant", "A01/1001", "schoolAdmin", "school:A01")
    tongke("account", "add", "张协调", "--number", "9", "--role", "countyCoordinator", "--scope", "county:甲县")
    listed = json.loads(tongke("account", "list", "--json"))["accounts"]
    assert {each["name"] for each in listed} == {"李红", "张协调"}
    table = tongke("account", "list")
    assert "李红" in table and "schoolAdmin school:A01" in table and "未设置" in table

    # A link, as it is pasted into a terminal over SSH; the code stands behind the # alone.
    link = tongke.link("A01/1001")
    assert re.fullmatch(re.escape(tongke.base) + r"/sign-in#code=[\w-]{43}", link)
    tongke.login("lihong", link + "\n", "--code")
    again = tongke.run("login", tongke.base, "--code", input=link + "\n", who="lihong")
    assert again.returncode == 1 and "用过" in again.stderr
    own = json.loads(tongke("account", "show", "A01/1001", "--json", who="lihong"))
    assert own["name"] == "李红"
    # Within the own school, and nothing above it.
    tongke("account", "grant", "A01/1001", "leadTeacher", "school:A01", who="lihong")
    tongke("account", "grant", "A01/1001", "schoolAdmin", "school:B01", who="lihong", code=1)
    refused = tongke.run("account", "link", "/9", who="lihong")
    assert refused.returncode == 1 and refused.stderr.strip()
    tongke("account", "lock", "A01/1001", who="lihong", code=1)

    tongke("account", "revoke", "A01/1001", "--role", "leadTeacher")
    # What was begun before says the role still, and has ended.
    ended = tongke.run("account", "list", who="lihong")
    assert ended.returncode == 1 and "收回" in ended.stderr
    for wrong in (["revoke", "A01/1001"], ["show", "nobody"], ["grant", "A01/1001", "teacher", "city"], ["bind", "/9"]):
        tongke("account", *wrong, code=2)
    tongke("account", "revoke", "A01/1001", "--role", "auditor", code=1)


@pytest.mark.timeout(120)
def test_three_officers_are_three_people_and_a_second_factor_is_lost_and_found(county):
    tongke = county(secondFactor=True)
    tongke("account", "add", "安全员", "--number", "11", "--role", "securityAdmin", "--scope", "city")
    tongke("account", "grant", "/11", "auditor", "city", code=1)
    code = tongke.link("/11").split("=")[1]
    assert tongke.kind(tongke.post("sign-in", {"code": code})) == "secondFactorMissing"
    begun = tongke.post("sign-in/second-factor", {"code": code}).json()
    assert begun["address"].startswith("otpauth://totp/Tongke:") and begun["secret"] in begun["address"]
    assert tongke.kind(tongke.post("sign-in", {"code": code})) == "secondFactorNeeded"
    # At a terminal the digits are read after the code.
    tongke.login("security", f"{code}\n{code_of(begun['secret'])}\n", "--code")

    tongke("account", "grant", "A01/1001", "schoolAdmin", "school:A01")
    tongke.login("lihong", tongke.link("A01/1001") + "\n", "--code")
    # Shown once in the terminal, and confirmed by a first code.
    process = subprocess.Popen(
        [relays.EXECUTABLE, "account", "second-factor", "set-up"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, env={"HOME": str(tongke.folder / "lihong"), "LC_ALL": "en_US.UTF-8"},
    )  # fmt: skip
    shown = [process.stdout.readline() for _ in range(4)]
    secret = shown[3].strip()
    assert shown[1].strip().startswith("otpauth://") and re.fullmatch("[A-Z2-7]{32}", secret)
    used = code_of(secret)
    process.communicate(used + "\n", timeout=30)
    assert process.returncode == 0
    tongke("account", "second-factor", "set-up", who="lihong", code=1)
    code = tongke.link("A01/1001").split("=")[1]
    assert tongke.kind(tongke.post("sign-in", {"code": code})) == "secondFactorNeeded"
    # A code is accepted once.
    assert tongke.kind(tongke.post("sign-in", {"code": code, "secondFactor": used})) == "badSecondFactor"
    # Lost: the security administrator takes it away, and nobody else does.
    tongke("account", "second-factor", "remove", "A01/1001", code=1)
    tongke("account", "second-factor", "remove", "A01/1001", who="security")
    assert tongke.post("sign-in", {"code": code}).status_code == 200
    tongke("account", "lock", "A01/1001", who="security")
    code = tongke.link("A01/1001").split("=")[1]
    assert tongke.kind(tongke.post("sign-in", {"code": code})) == "accountLocked"
    tongke("account", "unlock", "A01/1001", who="security")
    assert tongke.post("sign-in", {"code": code}).status_code == 200
    # A tongke logout ends the session itself.
    profile = json.loads((tongke.folder / "security/.config/tongke/profiles.json").read_text())
    token = profile["profiles"]["default"]["token"]
    tongke("logout", who="security")
    answer = requests.get(
        tongke.base + "/api/v1/session", headers={"Authorization": "Bearer " + token}, timeout=10
    )
    assert answer.status_code == 401 and tongke.kind(answer) == "revokedToken"


# The page


@pytest.fixture
def browse(chromium):
    contexts = []

    def make(locale="zh-CN"):
        contexts.append(chromium.new_context(locale=locale, viewport={"width": 1366, "height": 768}))
        page = contexts[-1].new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        return page

    yield make
    for each in contexts:
        each.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_a_person_signs_in_by_keyboard_alone(county, browse, locale, tmp_path):
    tongke = county()
    tongke("account", "grant", "A01/1001", "leadTeacher", "school:A01")
    page = browse(locale)
    requested = []
    page.on("request", lambda request: requested.append(request.url))
    link = tongke.link("A01/1001")
    code = link.split("=")[1]
    page.goto(link)
    page.locator("#use-link").wait_for(state="visible")
    assert code not in page.url, "the code leaves the address bar"
    page.screenshot(path=tmp_path / "link.png")
    page.keyboard.press("Enter")
    page.locator("#home").wait_for(state="visible")
    assert "李红" in page.inner_text("#hello")
    role = "主讲教师" if locale == "zh-CN" else "Lead teacher"
    assert role in page.inner_text("#roles") and "中心小学" in page.inner_text("#roles")
    page.screenshot(path=tmp_path / "home.png")
    # A reload goes on with the session; another tab has none.
    page.reload()
    page.locator("#home").wait_for(state="visible")
    # A code for the terminal.
    page.locator("#home summary").press("Enter")
    page.locator("#make-code").press("Enter")
    eventually(lambda: len(page.inner_text("#terminal-code")) == 9, 10, lambda: page.inner_text("#home"))
    page.screenshot(path=tmp_path / "terminal.png")
    tongke.login("lihong", page.inner_text("#terminal-code").lower() + "\n", "--code")
    tongke("lesson", "list", who="lihong")
    page.locator("#sign-out").press("Enter")
    page.locator("#ways").wait_for(state="visible")
    page.reload()
    page.locator("#ways").wait_for(state="visible")
    assert not page.evaluate("document.cookie") and not page.errors
    tokens = [url for url in requested if code in url or "eyJ" in url]
    assert not tokens, "no secret in an address"
    # A link that was used says so in words.
    page.fill("#link", link)
    page.keyboard.press("Enter")
    page.locator("#use-link").press("Enter")
    page.locator("#notice").wait_for(state="visible")
    assert ("用过" if locale == "zh-CN" else "used") in page.inner_text("#notice")
    page.screenshot(path=tmp_path / "used.png")


@pytest.mark.timeout(120)
def test_an_administrator_sets_up_a_second_factor_on_the_page(county, browse, tmp_path):
    tongke = county(secondFactor=True)
    tongke("account", "add", "张协调", "--number", "9", "--role", "countyCoordinator", "--scope", "county:甲县")
    page = browse()
    page.goto(tongke.link("/9"))
    page.locator("#use-link").press("Enter")
    page.locator("#secret").wait_for(state="visible")
    secret = page.inner_text("#secret").replace(" ", "")
    page.screenshot(path=tmp_path / "set-up.png")
    page.keyboard.type(code_of(secret))
    page.keyboard.press("Enter")
    page.locator("#home").wait_for(state="visible")
    assert "县级协调员" in page.inner_text("#roles") and "甲县" in page.inner_text("#roles")
    page.locator("#sign-out").press("Enter")
    page.goto("about:blank")
    page.goto(tongke.link("/9"))
    page.locator("#use-link").press("Enter")
    page.locator("#code").wait_for(state="visible")
    assert not page.locator("#set-up").is_visible()
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    page.locator("#notice").wait_for(state="visible")
    page.fill("#code", code_of(secret, 1))
    page.keyboard.press("Enter")
    page.locator("#home").wait_for(state="visible")
    assert not page.errors


@pytest.mark.timeout(120)
def test_a_board_enrols_by_digits_and_opens_its_lesson_by_itself(county, browse, tmp_path):
    tongke = county()
    made = json.loads(tongke("device", "enrol", "B01-1", "--json"))
    assert made["institution"] == "B01" and re.fullmatch(r"\d{6}", made["code"])
    page = browse()
    page.goto(tongke.base + "/sign-in")
    page.locator("#device-way summary").press("Enter")
    page.fill("#school", "B01")
    page.fill("#digits", "000000" if made["code"] != "000000" else "000001")
    page.keyboard.press("Enter")
    page.locator("#notice").wait_for(state="visible")
    page.screenshot(path=tmp_path / "ways.png")
    page.fill("#digits", made["code"])
    page.keyboard.press("Enter")
    page.locator("#device").wait_for(state="visible")
    assert "B01-1" in page.inner_text("#device")
    page.screenshot(path=tmp_path / "device.png")
    listed = json.loads(tongke("device", "list", "--json"))
    assert [each["room"] for each in listed] == ["B01-1"] and not listed[0]["revoked"]

    # A lesson that goes on now, in a room of its own: the device goes straight into it.
    now = int(time.time() * 1000)
    lesson = tongke.relay.make_lesson(now, now + 600_000, receivers=1)
    assert lesson["whep"][0]["site"] == "P01-1"
    # The sample has a room of that number as well, so its identifier is told.
    tongke("device", "enrol", "P01-1", "--link", code=1)
    link = json.loads(tongke("device", "enrol", OPEN_ROOM, "--link", "--json"))["link"]
    board = browse()
    board.goto(link)
    board.locator("#use-link").press("Enter")
    board.wait_for_url(tongke.base + "/")
    board.locator("body[data-view=classroom]").wait_for()
    # Opened anew, it is there again without anybody.
    board.evaluate("sessionStorage.clear()")
    board.goto(tongke.base + "/")
    board.locator("body[data-view=classroom]").wait_for()
    board.screenshot(path=tmp_path / "board.png")

    tongke("device", "revoke", listed[0]["id"])
    page.reload()
    page.locator("#ways").wait_for(state="visible")
    assert "收回" in page.inner_text("#notice")
    tongke("device", "revoke", "nothing", code=2)
    assert not page.errors and not board.errors


# Identity providers


@pytest.fixture(params=["RS256", "ES256"])
def provider(request):
    each = fake_provider.Provider(request.param)
    yield each
    each.close()


def with_provider(county, provider, folder):
    secret = folder / "openid.secret"
    secret.write_text(provider.SECRET + "\n")
    return county(
        openid={
            "issuer": provider.url, "clientId": provider.CLIENT, "clientSecretFile": str(secret), "name": "区教育认证",
        }
    )  # fmt: skip


@pytest.mark.timeout(120)
def test_a_person_comes_in_by_the_provider_once_bound(county, browse, provider, tmp_path):
    tongke = with_provider(county, provider, tmp_path)
    page = browse()
    page.goto(tongke.base + "/sign-in")
    page.locator("#openid", has_text="区教育认证").wait_for(state="visible")
    page.locator("#openid").press("Enter")
    page.locator("#notice").wait_for(state="visible")
    told = page.inner_text("#notice")
    assert "u-1001" in told and "管理员" in told, "whom to ask, and what to tell them"
    assert "code=" not in page.url and "state=" not in page.url
    page.screenshot(path=tmp_path / "unknown.png")

    # Bound, and without a role: still not in.
    tongke("account", "bind", "A01/1001", "--issuer", provider.url, "--subject", "u-1001")
    page.locator("#openid").press("Enter")
    page.locator("#notice-title", has_text="角色").wait_for(state="visible")
    tongke("account", "grant", "A01/1001", "leadTeacher", "school:A01")
    page.locator("#openid").press("Enter")
    page.locator("#home").wait_for(state="visible")
    assert "李红" in page.inner_text("#hello") and not page.errors
    # The way back that the provider gave is worth nothing twice, nor in another tab.
    other = browse()
    other.goto(tongke.base + "/sign-in?code=x&state=y")
    other.locator("#notice").wait_for(state="visible")
    assert "本页面" in other.inner_text("#notice")
    tongke("account", "bind", "A01/1001", "--remove")
    page.locator("#sign-out").press("Enter")
    page.locator("#openid").press("Enter")
    page.locator("#notice", has_text="u-1001").wait_for(state="visible")


def come(tongke, provider) -> requests.Response:
    """What the page does, without a page: begin, go to the provider, come back."""
    begun = tongke.post("sign-in/openid", {})
    if begun.status_code != 200:
        return begun
    begun = begun.json()
    back = requests.get(begun["address"], allow_redirects=False, timeout=10).headers["Location"]
    answer = {name: back.split(name + "=")[1].split("&")[0] for name in ("code", "state")}
    come.last = {"attempt": begun["attempt"], **answer}
    return tongke.post("sign-in/openid/answer", come.last)


@pytest.mark.timeout(180)
def test_a_provider_that_does_wrong_lets_nobody_in(county, tmp_path):
    provider = fake_provider.Provider("RS256")
    tongke = with_provider(county, provider, tmp_path)
    tongke("account", "grant", "A01/1001", "leadTeacher", "school:A01")
    tongke("account", "bind", "A01/1001", "--issuer", provider.url, "--subject", "u-1001")
    described = "/.well-known/openid-configuration"
    # Before anything of it is known.
    for fault in ("down " + described, "large " + described, "redirects " + described, "describes another"):
        provider.fault = fault
        answer = come(tongke, provider)
        assert (answer.status_code, tongke.kind(answer)) == (503, "providerUnreachable"), fault
    provider.fault = "down /keys"
    assert tongke.kind(come(tongke, provider)) == "providerUnreachable"
    provider.fault = ""
    honest = come(tongke, provider)
    assert honest.status_code == 201
    session = tongke.post("sign-in", {"code": honest.json()["code"]})
    assert session.status_code == 200 and session.json()["name"] == "李红"
    assert tongke.kind(tongke.post("sign-in/openid/answer", come.last)) == "staleSignIn", "replayed"

    for fault, check in [
        ("nonce", "nonce"), ("audience", "audience"), ("expired", "expired"), ("issuer", "issuer"),
        ("none", "algorithm"), ("shared", "algorithm"), ("forged", "signature"),
    ]:  # fmt: skip
        provider.fault = fault
        answer = come(tongke, provider)
        assert (answer.status_code, tongke.kind(answer)) == (401, "providerRefused"), (fault, answer.text)
        assert check in answer.json()["title"], (fault, answer.text)
    for fault in ("large /token", "down /token", "redirects /token"):
        provider.fault = fault
        assert tongke.kind(come(tongke, provider)) == "providerUnreachable", fault
    assert "/elsewhere" not in provider.asked, "redirections are not followed"
    provider.fault = "slow /token"
    start = time.monotonic()
    assert tongke.kind(come(tongke, provider)) == "providerUnreachable"
    assert time.monotonic() - start < 20, "a provider that trickles does not hold anybody up for long"
    provider.fault = ""
    begun = tongke.post("sign-in/openid", {}).json()
    for forged in ({"attempt": "x"}, {"state": "x"}):
        answer = {"attempt": begun["attempt"], "state": "s", "code": "c"} | forged
        assert tongke.kind(tongke.post("sign-in/openid/answer", answer)) == "staleSignIn"
    # Nothing of what others say has reached the log.
    log = tongke.relay.log.read_text()
    assert "eyJ" not in log and provider.SECRET not in log and "u-1001" not in log
    provider.close()


@pytest.mark.timeout(120)
def test_a_platforms_ticket(county, browse, tmp_path):
    platform = fake_provider.Platform()
    key = tmp_path / "ticket.key"
    key.write_text(platform.KEY)
    gateway = platform.url + "/gateway"
    tongke = county(ticket={"gateway": gateway, "appId": platform.APPLICATION, "appKeyFile": str(key)})
    tongke("account", "grant", "A01/1001", "leadTeacher", "school:A01")
    tongke("account", "bind", "A01/1001", "--issuer", gateway, "--subject", "p-42")
    page = browse()
    page.goto(tongke.base + "/sign-in?ticket=t-good&sysCode=0")
    page.locator("#home").wait_for(state="visible")
    assert "李红" in page.inner_text("#hello") and "ticket" not in page.url
    for ticket, kind in [("t-good", "staleSignIn"), ("made-up", "staleSignIn"), ("t-stranger", "unknownIdentity")]:
        assert tongke.kind(tongke.post("sign-in/ticket", {"ticket": ticket})) == kind, ticket
    platform.fault = "large"
    assert tongke.kind(tongke.post("sign-in/ticket", {"ticket": "t"})) == "providerUnreachable"
    platform.close()
    assert tongke.kind(tongke.post("sign-in/ticket", {"ticket": "t"})) == "providerUnreachable"
    assert tongke.kind(tongke.post("sign-in/openid", {})) == "notFound", "no provider is configured"
