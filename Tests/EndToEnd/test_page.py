"""The product's own page, as a lead teacher and a teaching point use it."""

import re

import pytest

import browser
import watching
from waiting import eventually

CHINESE = re.compile(r"[\u4e00-\u9fff]")


class Stage:
    """The page's `#stage`, read like any viewer."""

    def __init__(self, page):
        self.page = page
        page.evaluate("() => {" + (browser.PAGE / "strip.js").read_text() + "}")
        page.evaluate(
            """() => {
              const video = document.querySelector("#stage");
              window.shown = [];
              const each = () => {
                const now = performance.timeOrigin + performance.now();
                window.shown.push([now, window.readStrip(video), video.videoWidth, video.videoHeight]);
                video.requestVideoFrameCallback(each);
              };
              video.requestVideoFrameCallback(each);
            }"""
        )

    def frames(self):
        return [watching.Frame(*each) for each in self.page.evaluate("window.shown")]

    def statistics(self):
        return self.page.inner_text("body")


@pytest.mark.timeout(90)
@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
def test_lead_publishes_and_a_teaching_point_watches(language, relay, chromium, camera, tmp_path):
    context = chromium.new_context(locale=language, viewport={"width": 1280, "height": 720})
    try:
        lead, room = context.new_page(), context.new_page()
        errors = []
        for page in (lead, room):
            page.on("pageerror", lambda error: errors.append(str(error)))
        lead.goto(relay.place["page"]["lead"])
        button = lead.locator("#publish-camera")
        button.wait_for(state="visible")
        assert "token" not in lead.url, "the token leaves the address bar"
        assert bool(CHINESE.search(button.inner_text())) == (language == "zh-CN")
        assert lead.evaluate("document.documentElement.lang").startswith(language[:2])
        button.click()

        room.goto(relay.place["page"]["receiver"])
        room.locator("#stage").wait_for(state="attached")
        enter = room.locator("#enter")
        stage = Stage(room)
        eventually(lambda: stage.frames() or (enter.is_visible() and enter.click()), 15, stage.statistics)
        watching.expect_lesson(stage, camera.frames)
        room.screenshot(path=str(tmp_path / f"room-{language}.png"))
        lead.screenshot(path=str(tmp_path / f"lead-{language}.png"))
        assert room.locator("#state").inner_text(), "the page says how it stands"

        # The other language is one press away, and the lesson goes on.
        at = stage.frames()[-1].at
        lead.locator("#language").click()
        assert bool(CHINESE.search(button.inner_text())) != (language == "zh-CN")
        lead.locator("#stop").click()
        eventually(
            lambda: "pictures stop" if stage.frames()[-1].at + 1_500 < room.evaluate("Date.now()") else None,
            15,
            "pictures stop after the lead has stopped",
            every=0.3,
        )
        assert stage.frames()[-1].at >= at
        assert not errors
    finally:
        context.close()


@pytest.mark.timeout(60)
def test_page_without_a_link_asks_for_one(relay, chromium):
    context = chromium.new_context(locale="zh-CN")
    try:
        page = context.new_page()
        page.goto(relay.base + "/")
        page.locator("#link").wait_for(state="visible")
        page.fill("#link", relay.place["page"]["receiver"])
        page.locator("#open button").click()
        page.locator("#stage").wait_for(state="visible")
    finally:
        context.close()
