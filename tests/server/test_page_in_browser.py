"""The page in a real browser: what is seen, what the keyboard reaches, what a text cannot do."""

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from browser import chromium, encode, json_of, page_of
from echo_backend import MADE_UP_NAME, EchoBackend, encoding
from playwright.sync_api import Browser, Page, expect
from serving import serve, service_over, until

from spokesmith.metrics import parse_strict
from spokesmith.server.service import Loading
from spokesmith.tasks import canonical_json, load_task

TEXT = (
    "Marta moved the backup job from 02:00 to 04:30 because the nightly export was still "
    "running. She told Ines 😀 and paid 148 euros."
)
HOSTILE = (
    '</textarea><script>window.hacked = 1</script> <img src=x onerror="window.hacked = 2"> '
    "<svg onload=window.hacked=3> Ada & Bob paid 5 euros. \"'`${window.hacked = 4}"
)
SCHEMA = load_task("memory").schema
# What the server tells of an answer that states nothing, without the answer.
RESULT = {
    "grounded": [],
    "ungrounded": [],
    "lost": [],
    "quotes": [],
    "fields": {},
    "usage": {"completion_tokens": 5},
    "timings": {"waiting_ms": 0, "prompt_ms": 1, "predicted_ms": 1, "predicted_per_second": 1},
    "spokesmith": {"closed": False, "tokens": {"model": 5}, "forwards": 5},
}
NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(service_over(EchoBackend())) as address:
        yield address


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with page_of(browser, url) as opened:
        yield opened


@pytest.fixture(scope="module")
def finished(browser: Browser, url: str) -> Iterator[Page]:
    """A page with an answer, for tests that change nothing."""
    with page_of(browser, url) as opened:
        encode(opened, TEXT)
        yield opened


def texts(page: Page, selector: str) -> list[str]:
    return page.locator(selector).all_text_contents()


def answer_with(page: Page, *events: dict[str, Any]) -> None:
    """Let every text be answered with these events."""
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    page.route("**/v1/encode", lambda route: route.fulfill(body=body))


def test_the_answer_is_shown_whole_and_valid(finished: Page) -> None:
    assert json_of(finished) == canonical_json(encoding(TEXT), SCHEMA)
    expect(finished.locator("#status")).to_contain_text("valid")
    assert texts(finished, "#fields .valid") == [f"{name}, valid" for name in SCHEMA["properties"]]
    figures = texts(finished, "#figures dt")
    assert figures == ["time", "tokens/s", "tokens", "forward passes", "first token after"]


def test_the_json_arrives_piece_by_piece_and_fields_are_ticked(browser: Browser) -> None:
    with (
        serve(service_over(EchoBackend(delay_s=0.01))) as url,
        page_of(browser, url) as page,
    ):
        page.fill("#text", TEXT)
        page.click("#encode")
        page.wait_for_selector("#fields .valid")
        assert page.locator("#fields .now").count() <= 1
        assert page.locator("#fields li:not([class])").count() > 0
        early = json_of(page)
        whole = canonical_json(encoding(TEXT), SCHEMA)
        assert whole.startswith(early)
        assert page.locator("#stop").is_visible()
        page.wait_for_selector("#facts:not([hidden])")
        assert json_of(page) == whole != early
        assert page.locator("#stop").is_hidden()


def test_tokens_are_shaded_by_origin_with_a_legend(finished: Page) -> None:
    assert "Marta" in "".join(texts(finished, "#json .copied"))
    assert '"gist"' in texts(finished, "#json .forced")
    assert "Ada" in "".join(texts(finished, "#json .made-up .model"))
    legend = texts(finished, "#origins li")
    assert [re.sub(r" \d+ %", "", one) for one in legend] == ["forced", "copied", "by the model"]
    assert 98 <= sum(int(share) for share in re.findall(r"\d+", " ".join(legend))) <= 102

    def ground(selector: str) -> str:
        get = "(one) => getComputedStyle(one).backgroundColor"
        return finished.locator(selector).first.evaluate(get)

    shades = {ground("#json .copied"), ground("#json .forced"), ground("#json .literal .model")}
    assert len(shades) == 3
    finished.uncheck("#shade")
    assert ground("#json .copied") == ground("#json .literal .model")
    finished.check("#shade")
    # As a browser does that restores a form.
    finished.evaluate("document.getElementById('shade').checked = false")
    assert ground("#json .copied") == ground("#json .literal .model")
    finished.check("#shade")


def test_pointing_at_a_value_shows_its_place_in_the_text(finished: Page) -> None:
    context = finished.locator("#json a", has_text=re.compile("^Marta$"))
    context.first.hover()
    assert texts(finished, "#backdrop .shown") == ["Marta"]
    expect(finished.locator("#place")).to_contain_text("In the text: Marta moved the backup job")
    # A fact inside a quote has its own place, behind an emoji of two code units.
    finished.locator("#json .fact", has_text="148 euros").first.hover()
    assert texts(finished, "#backdrop .shown") == ["148 euros"]
    assert texts(finished, "#json .shown") == ["148 euros"]
    finished.locator("h1").hover()
    assert texts(finished, "#backdrop .shown") == []
    assert finished.locator("#backdrop").text_content() == TEXT + "\n"


def test_a_tap_shows_the_place_and_opens_no_keyboard(browser: Browser, url: str) -> None:
    with page_of(browser, url, viewport=NARROW, has_touch=True) as page:
        encode(page, TEXT)
        page.locator("#json a", has_text=re.compile("^Marta$")).first.tap()
        expect(page.locator("#place")).to_contain_text("In the text: Marta moved the backup job")
        assert texts(page, "#backdrop .shown") == ["Marta"]
        assert page.evaluate("document.activeElement.id") != "text"


def test_the_marks_lie_exactly_behind_the_words(finished: Page) -> None:
    metrics = ["width", "height", "font", "padding", "letterSpacing", "whiteSpace", "overflowY"]
    get = f"(one) => {json.dumps(metrics)}.map((name) => getComputedStyle(one)[name])"
    assert finished.locator("#backdrop").evaluate(get) == finished.locator("#text").evaluate(get)
    place = "(one) => { const { x, y } = one.getBoundingClientRect(); return [x, y]; }"
    assert finished.locator("#backdrop").evaluate(place) == finished.locator("#text").evaluate(
        place
    )


def test_made_up_facts_are_red_and_listed_with_the_reason(finished: Page) -> None:
    assert texts(finished, "#json .made-up") == [MADE_UP_NAME, "93,417"]
    expect(finished.locator("#made-up-heading")).to_contain_text("2 made up")
    expect(finished.locator("#made-up")).to_contain_text(f"the text has no {MADE_UP_NAME}")
    expect(finished.locator("#status")).to_contain_text("2 made up")
    colour = "(one) => getComputedStyle(one).color"
    in_answer = finished.locator("#json .made-up").first.evaluate(colour)
    assert finished.locator("#reading .made-up").evaluate(colour) == in_answer
    finished.locator("#json .made-up").first.focus()
    expect(finished.locator("#place")).to_have_text(f"Made up: the text has no {MADE_UP_NAME}")


def test_lost_facts_are_marked_in_the_text(browser: Browser) -> None:
    answer = canonical_json({**encoding("Tea is hot."), "narrative": ""}, SCHEMA)
    with (
        serve(service_over(EchoBackend(answer=answer))) as url,
        page_of(browser, url) as page,
    ):
        encode(page, TEXT)
        assert {"Marta", "148 euros"} <= set(texts(page, "#backdrop .lost"))
        expect(page.locator("#lost")).to_contain_text("148 euros")
        page.fill("#text", "Another text.")
        assert texts(page, "#backdrop mark") == []


def test_a_fact_that_the_answer_states_less_often_is_lost_too(browser: Browser) -> None:
    answer = {**encoding("Tea is hot."), "narrative": "", "gist": "Marta told Ines."}
    with (
        serve(service_over(EchoBackend(answer=canonical_json(answer, SCHEMA)))) as url,
        page_of(browser, url) as page,
    ):
        encode(page, "Marta called Ines. Later Ines told Marta about the printer.")
        assert "Marta" in texts(page, "#json .fact")
        assert "Marta" in texts(page, "#lost b")
        expect(page.locator("#lost-heading")).to_contain_text("the answer does not, or less often")


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.type("Marta moved the backup job.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#facts:not([hidden])")
    stops: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.textContent"))
        if stops[-1] == "Marta moved the backup job":
            break
    assert stops[0] == "a note"
    assert stops[-1] == "Marta moved the backup job"
    assert texts(page, "#backdrop .shown") == ["Marta moved the backup job"]
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    selected = page.evaluate(
        "(({ id, value, selectionStart, selectionEnd }) =>"
        " [id, value.slice(selectionStart, selectionEnd)])(document.activeElement)"
    )
    assert selected == ["text", "Marta moved the backup job"]


def test_a_screen_reader_hears_names_and_one_status(finished: Page) -> None:
    snapshot = finished.locator("body").aria_snapshot()
    for named in (
        'textbox "Text"',
        'combobox "Set"',
        'button "Encode"',
        'heading "Answer" [level=2]',
        'list "Fields of the schema"',
        'group "The JSON"',
    ):
        assert named in snapshot, named
    # One region speaks, once an answer; the JSON and the figures never do.
    assert finished.locator("[aria-live], [role=status], [role=alert]").count() == 2
    assert finished.locator("#json [role=status], #figures[role]").count() == 0
    get = "(one) => one.getAttribute('aria-description')"
    assert "made up" in finished.locator("#json .made-up").first.evaluate(get)
    assert finished.locator("html").get_attribute("lang") == "en"
    assert finished.locator("img:not([alt])").count() == 0


def test_html_in_texts_and_answers_stays_text(page: Page) -> None:
    encode(page, HOSTILE)
    page.locator("#json a").first.hover()
    assert json_of(page) == canonical_json(encoding(HOSTILE), SCHEMA)
    assert page.evaluate("window.hacked") is None
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 1
    assert page.locator("main svg").count() == 1


def test_html_in_what_the_server_tells_stays_text(page: Page) -> None:
    evil = "<img src=x onerror='window.hacked=1'>"
    fact = {"field": "/gist", "kind": evil, "text": evil, "span": [0, 3]}
    result = {
        **RESULT,
        "encoding": {"gist": evil},
        "grounded": [{**fact, "source_span": [0, 2]}],
        "ungrounded": [{**fact, "reason": evil}],
        "lost": [{"kind": evil, "text": evil, "source_span": [0, 3]}],
        "fields": {evil: True},
    }
    answer_with(
        page,
        {"type": "start", "model": evil, "schema": {"properties": {evil: {}}}},
        {"type": "piece", "segments": [[json.dumps({"gist": evil}), evil]], "tokens": {evil: 5}},
        {"type": "result", "result": result},
    )
    encode(page, "tea time")
    page.locator("#json .made-up").focus()
    page.unroute("**/v1/encode")
    page.route(
        "**/v1/encode",
        lambda route: route.fulfill(status=400, json={"error": {"message": evil}}),
    )
    page.click("#encode")
    expect(page.locator("#problem")).to_have_text(evil)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 1


def test_errors_are_told_in_the_servers_words(browser: Browser) -> None:
    schema_breaker = json.dumps({**encoding(TEXT), "salience": 5})
    with (
        serve(service_over(EchoBackend(answer=schema_breaker))) as url,
        page_of(browser, url) as page,
    ):
        page.fill("#text", TEXT)
        page.click("#encode")
        expect(page.locator("#problem")).to_contain_text("does not fit the task's schema")
        # The page itself had seen it while the answer came.
        assert texts(page, "#fields .invalid") == ["salience, not valid"]
        page.route("**/v1/encode", lambda route: route.abort())
        page.click("#encode")
        expect(page.locator("#problem")).to_contain_text("fetch")
        page.unroute("**/v1/encode")
        page.route("**/v1/encode", lambda route: route.fulfill(body="data: {}\n\n"))
        page.click("#encode")
        expect(page.locator("#problem")).to_contain_text("broke before the answer was whole")
        assert page.locator("#encode").get_attribute("aria-disabled") == "false"


def test_stop_gives_the_answer_up(browser: Browser) -> None:
    backend = EchoBackend(delay_s=0.02)
    with serve(service_over(backend)) as url, page_of(browser, url) as page:
        page.fill("#text", TEXT)
        page.click("#encode")
        page.wait_for_selector("#json .string")
        page.click("#stop")
        expect(page.locator("#status")).to_have_text("Stopped.")
        until(lambda: backend.jobs[0].cancelled.is_set())
        assert page.evaluate("document.activeElement.id") == "encode"


@pytest.mark.parametrize("written", ['{"gist":"tea', '{"gist":0.4', '{"gist":["tea"'])
def test_a_field_that_was_cut_is_neither_being_written_nor_judged(page: Page, written: str) -> None:
    answer_with(
        page,
        {"type": "start", "schema": {"properties": {"gist": {}, "summary": {}}}},
        {"type": "piece", "segments": [[written, "model"]], "tokens": {"model": 5}},
        {"type": "error", "error": {"message": "the answer was cut"}},
    )
    page.fill("#text", TEXT)
    page.click("#encode")
    expect(page.locator("#problem")).to_have_text("the answer was cut")
    assert texts(page, "#fields li") == ["gist", "summary"]
    assert page.locator("#fields :is(.now, .valid, .invalid)").count() == 0


def test_an_answer_that_was_cut_is_closed_and_told(page: Page) -> None:
    made = {"closed": True, "tokens": {"model": 4, "closing": 2}, "forwards": 4}
    answer_with(
        page,
        {"type": "start", "schema": {"properties": {"gist": {}}}},
        {"type": "piece", "segments": [['{"gist":"tea', "model"]], "tokens": {"model": 4}},
        {"type": "piece", "segments": [['"}', "closing"]], "tokens": {"closing": 2}},
        {"type": "result", "result": {**RESULT, "encoding": {"gist": "tea"}, "spokesmith": made}},
    )
    with page.expect_request("**/v1/encode") as asked:
        encode(page, TEXT)
    sent = asked.value.post_data_json
    assert sent == {"model": "memory", "on_truncation": "close", "text": TEXT, "stream": True}
    expect(page.locator("#status")).to_contain_text("valid, cut and closed")
    assert texts(page, "#origins li")[-1] == "closing 33 %"
    assert "".join(texts(page, "#json .closing")) == '"}'


def test_an_empty_text_is_not_sent(page: Page) -> None:
    page.click("#encode")
    assert page.locator("#told").is_hidden()
    assert page.evaluate("document.activeElement.id") == "text"


def test_it_waits_for_a_server_that_is_loading(browser: Browser) -> None:
    may_load = threading.Event()
    service = service_over(EchoBackend())

    def load() -> EchoBackend:
        assert may_load.wait(30)
        return EchoBackend()

    service.engine = Loading("engine", load)
    with serve(service, wait=False) as url:
        page = browser.new_page()
        page.goto(url)
        expect(page.locator("#status")).to_contain_text("the engine is still being loaded")
        may_load.set()
        page.wait_for_selector("#model:enabled")
        expect(page.locator("#status")).to_have_text("Paste a text and encode it.")
        page.close()


def loading_page(browser: Browser, url: str) -> Page:
    """The page with a clock of its own, while the embedding model is loaded."""
    page = browser.new_page()
    page.clock.install()
    told = {"error": {"message": "the embedding model is still being loaded"}}
    page.route("**/v1/models", lambda route: route.fulfill(status=503, json=told))
    page.goto(url)
    expect(page.locator("#status")).to_contain_text("still being loaded")
    return page


def test_what_is_still_loading_does_not_talk_over_an_answer(browser: Browser, url: str) -> None:
    page = loading_page(browser, url)
    encode(page, TEXT)
    # The second try begins when what came of the first has been told.
    for _ in range(2):
        with page.expect_request("**/v1/models"):
            page.clock.fast_forward(2000)
    expect(page.locator("#status")).to_contain_text("2 made up", timeout=1)
    page.unroute("**/v1/models")
    page.clock.fast_forward(2000)
    page.wait_for_selector("#model:enabled")
    expect(page.locator("#status")).to_contain_text("2 made up", timeout=1)
    page.close()


def test_an_error_stays_when_what_was_loading_is_there(browser: Browser, url: str) -> None:
    page = loading_page(browser, url)
    page.route(
        "**/v1/encode",
        lambda route: route.fulfill(status=400, json={"error": {"message": "too long"}}),
    )
    page.fill("#text", TEXT)
    page.click("#encode")
    expect(page.locator("#problem")).to_have_text("too long")
    page.unroute("**/v1/models")
    page.clock.fast_forward(2000)
    page.wait_for_selector("#model:enabled")
    assert page.locator("#problem").is_visible()
    page.close()


def test_why_there_are_no_models_is_told_in_the_servers_words(browser: Browser, url: str) -> None:
    page = browser.new_page()
    told = {"error": {"message": "the request names the host 'site'"}}
    page.route("**/v1/models", lambda route: route.fulfill(status=403, json=told))
    page.goto(url)
    expect(page.locator("#status")).to_have_text("the request names the host 'site'")
    page.close()


def test_sets_come_before_the_base_and_the_chosen_one_answers(browser: Browser) -> None:
    backend = EchoBackend()
    with serve(service_over(backend)) as url, page_of(browser, url) as page:
        assert texts(page, "#model option") == ["memory", "echo (no set)"]
        page.select_option("#model", "echo")
        encode(page, TEXT)
        assert backend.requests[-1].model == "echo"


def test_the_list_follows_sets_that_come_and_go(browser: Browser) -> None:
    backend = EchoBackend()
    with serve(service_over(backend)) as url, page_of(browser, url) as page:
        options = page.locator("#model option")
        backend.unload_set("memory")
        page.fill("#text", TEXT)
        page.click("#encode")
        expect(options).to_have_text(["echo (no set)"])
        expect(page.locator("#problem")).to_contain_text("no model 'memory' here")
        backend.load_set("sets/new", name="new")
        page.dispatch_event("#key", "change")
        expect(options).to_have_text(["new", "echo (no set)"])
        assert page.input_value("#model") == "echo"


def test_one_try_waits_however_many_began(page: Page) -> None:
    waiting = page.evaluate(
        """async () => {
          const waiting = new Set();
          let last = 0;
          window.setTimeout = () => { last += 1; waiting.add(last); return last; };
          window.clearTimeout = (id) => waiting.delete(id);
          window.fetch = async () => { throw new Error("gone"); };
          const key = document.getElementById("key");
          for (let time = 0; time < 3; time += 1) key.dispatchEvent(new Event("change"));
          await new Promise(requestAnimationFrame);
          return waiting.size;
        }"""
    )
    assert waiting == 1


@pytest.fixture
def locked() -> Iterator[str]:
    with serve(service_over(EchoBackend(), api_keys=("sesame",))) as address:
        yield address


def test_with_a_key(browser: Browser, locked: str) -> None:
    # The browser asks for the key once, as a password.
    credentials = {"username": "any", "password": "sesame"}
    with page_of(browser, locked, http_credentials=credentials) as page:
        encode(page, TEXT)
        page.click("#key-part summary")
        page.fill("#key", "wrong")
        page.click("#encode")
        expect(page.locator("#problem")).to_contain_text("no valid key")
        assert page.evaluate("document.activeElement.id") == "key"
        page.fill("#key", "sesame")
        encode(page, TEXT)
        assert page.locator("#problem").is_hidden()
        assert page.locator("#key").get_attribute("type") == "password"
        assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [
            0,
            0,
            "",
        ]
        page.reload()
        assert page.input_value("#key") == ""


def with_password(url: str) -> str:
    """The address of a locked server with the key in it."""
    return url.replace("//", "//any:sesame@")


def test_a_key_of_any_script_can_be_typed(browser: Browser) -> None:
    service = service_over(EchoBackend(), api_keys=("sesame", "ключ-à"))
    with serve(service) as url, page_of(browser, with_password(url)) as page:
        page.click("#key-part summary")
        page.fill("#key", "ключ-à")
        encode(page, TEXT)
        assert page.locator("#problem").is_hidden()


def snippet(browser: Browser, url: str, button: str, *, key: str = "") -> str:
    """What a copy button puts into the clipboard."""
    options: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}
    if key:
        options["http_credentials"] = {"username": "any", "password": key}
    with page_of(browser, url, **options) as page:
        page.fill("#text", HOSTILE + "\n$HOME `id` \\ %s 😀")
        page.click(button)
        expect(page.locator(button)).to_have_text("Copied")
        return page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize("key", ["", "sesame"])
@pytest.mark.parametrize("button", ["#copy-curl", "#copy-python"])
def test_what_is_copied_runs(
    browser: Browser, locked: str, url: str, button: str, key: str
) -> None:
    text = HOSTILE + "\n$HOME `id` \\ %s 😀"
    copied = snippet(browser, locked if key else url, button, key=key)
    assert "sesame" not in copied
    command = [sys.executable, "-c", copied]
    if button == "#copy-curl":
        if shutil.which("curl") is None:
            pytest.skip("no curl here")
        assert copied.startswith("curl ")
        command = ["sh", "-c", copied]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"SPOKESMITH_API_KEY": key}
    )
    wanted = canonical_json(encoding(text), SCHEMA)
    if button == "#copy-curl":
        assert done.stdout == wanted
    else:
        assert done.stdout == f"{parse_strict(wanted)}\n"


def test_a_key_in_the_address_of_the_page_is_in_no_copy(browser: Browser, locked: str) -> None:
    for button in ("#copy-curl", "#copy-python"):
        copied = snippet(browser, with_password(locked), button)
        assert f"{locked}/v1/encode" in copied
        assert "sesame" not in copied


def test_without_a_clipboard_the_text_is_shown(browser: Browser, url: str) -> None:
    with page_of(browser, url) as page:
        page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        encode(page, TEXT)
        page.click("#copy-json")
        assert page.locator("#snippet").is_visible()
        assert page.input_value("#snippet-text") == canonical_json(encoding(TEXT), SCHEMA)
        page.keyboard.press("Escape")
        assert page.locator("#snippet").is_hidden()


def test_the_json_is_copied_as_it_was_written(page: Page) -> None:
    written = '{"b":9007199254740993,"10":1.50,"2":[]}'
    answer_with(
        page,
        {"type": "start", "schema": {}},
        {"type": "piece", "segments": [[written, "model"]], "tokens": {"model": 5}},
        {"type": "result", "result": {**RESULT, "encoding": json.loads(written)}},
    )
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    encode(page, TEXT)
    page.click("#copy-json")
    assert page.input_value("#snippet-text") == written


def test_a_button_that_copied_twice_gets_its_own_words_back(browser: Browser, url: str) -> None:
    with page_of(browser, url, permissions=["clipboard-read", "clipboard-write"]) as page:
        button = page.locator("#copy-curl")
        button.dblclick()
        expect(button).to_have_text("Copied")
        expect(button).to_have_text("Copy as curl", timeout=10_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_nothing_reaches_out_of_the_window(
    browser: Browser, url: str, size: dict[str, int], scheme: str
) -> None:
    with page_of(browser, url, viewport=size, color_scheme=scheme) as page:
        for text in ("", TEXT, "https://example.org/" + "x" * 600 + " paid 5 euros."):
            if text:
                encode(page, text)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"]
        assert page.locator("#encode").evaluate("(one) => one.offsetHeight") >= 40
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 27)")


def test_motion_is_left_out_where_it_is_not_wanted(browser: Browser, url: str) -> None:
    for motion, blinks in (("no-preference", True), ("reduce", False)):
        with page_of(browser, url, reduced_motion=motion) as page:
            page.evaluate(
                "document.getElementById('told').hidden = false;"
                "document.getElementById('json').className = 'json growing';"
                "document.getElementById('json').innerHTML = '<div class=line></div>'"
            )
            get = "(one) => getComputedStyle(one, '::after').animationName"
            name = page.locator("#json .line").evaluate(get)
            assert (name == "blink") == blinks


def test_the_policy_lets_nothing_in(browser: Browser, url: str) -> None:
    policy = httpx.get(url).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = browser.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(url)
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'),"
        " { textContent: 'window.hacked = 1' }))"
    )
    assert page.evaluate("window.hacked") is None
    assert "Content Security Policy" in " ".join(refused)
    page.close()
