"""The bell as a lead teacher and a teaching point see it in their browsers, and what a stopped lesson says."""

import re
import time

import pytest

from waiting import eventually


@pytest.mark.timeout(90)
def test_the_lead_sees_the_bell_come_and_the_overtime_run_down(relay, chromium):
    now = int(time.time() * 1_000)
    made = relay.make_lesson(now - 60_000, now + 15_000, receivers=1)
    context, site_context = chromium.new_context(locale="zh-CN"), chromium.new_context(locale="en-US")
    try:
        lead, site = context.new_page(), site_context.new_page()
        errors = []
        for page in (lead, site):
            page.on("pageerror", lambda error: errors.append(str(error)))
        lead.goto(made["page"]["lead"])
        site.goto(made["page"]["receivers"][0])
        lead.locator("#publish-camera").click()
        clock = lead.locator("#clock")
        clock.wait_for(state="visible", timeout=15_000)
        before = clock.inner_text()
        assert re.search(r"离下课还有 00:\d\d", before), before
        eventually(lambda: clock.inner_text() < before, 5, "the time to the bell runs down")
        eventually(lambda: "已下课" in clock.inner_text(), 20, lambda: f"the bell rings; {clock.inner_text()}")
        assert re.search(r"(09:5\d|10:00) 后自动结束", clock.inner_text()), clock.inner_text()
        assert not site.locator("#clock").is_visible(), "the lead's clock is nobody else's"
        # The lesson goes on, and whoever comes to follow it is told the same.
        assert relay.lesson(made["lesson"])["state"] == "live"
        with relay.request(
            "GET", f"/api/v1/lessons/{made['lesson']}/events", relay.operator, stream=True
        ) as news:  # fmt: skip
            told = next(line for line in map(bytes.decode, news.iter_lines()) if "endsBy" in line)
            assert '"reason":"limit"' in told and f'"plannedEnd":{now + 15_000}' in told
        relay.end_lesson(made["lesson"])
        site.locator("#notice-title").wait_for(state="visible")
        eventually(
            lambda: "stopped by its coordinator" in site.inner_text("#notice-title"), 10,
            lambda: site.inner_text("#notice"),
        )  # fmt: skip
        eventually(lambda: "管理员" in lead.inner_text("#notice-title"), 10, lambda: lead.inner_text("body"))
        assert not clock.is_visible() and not errors
    finally:
        context.close()
        site_context.close()
