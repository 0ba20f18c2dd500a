"""The dashboard of `taskgate up` in a browser: what a person does with it, step by step."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from support.browser import Browser, browser
from support.up import Up
from support.waiting import wait_until
from taskgate.client import Client, State

PHONE, DESK = 390, 1280


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("up")
    with Up(folder, env={"TASKGATE_WEB_ADDRESS": "127.0.0.1:0"}) as up:
        yield up


@pytest.fixture(scope="module")
def url(up: Up) -> str:
    [url] = re.findall(r"^The dashboard is at (http://\S+)/$", up.output, re.MULTILINE)
    return str(url)


@pytest.fixture(scope="module")
def client(up: Up) -> Iterator[Client]:
    with Client(up.address) as client:
        yield client


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as window:
        yield window


@pytest.fixture(autouse=True)
def nothing_else_was_asked_or_went_wrong(window: Browser, url: str) -> Iterator[None]:
    """Each test's pages work without a word on the console, and without the internet."""
    window.messages()
    window.hosts()
    yield
    assert window.messages() == []
    assert window.hosts() == {url.removeprefix("http://")}


def find(window: Browser, css: str) -> WebElement:
    return window.driver.find_element(By.CSS_SELECTOR, css)


def text(window: Browser, css: str = "main") -> str:
    """What is to be read there; at one moment, as live pages change."""
    script = "return document.querySelector(arguments[0])?.innerText ?? ''"
    return str(window.driver.execute_script(script, css)).strip()


def press(window: Browser, words: str) -> None:
    """Press the button or follow the link that says so."""
    named = f"//main//*[self::a or self::button][normalize-space()='{words}']"

    def has_been_pressed() -> bool:
        try:
            window.driver.find_element(By.XPATH, named).click()
        except StaleElementReferenceException:  # a live page has just put another one there
            return False
        return True

    wait_until(has_been_pressed, 30)


def until(window: Browser, words: str) -> None:
    """Until the page says so, without being loaded again."""
    wait_until(lambda: words in text(window), 30, f"{words!r} in {window.driver.current_url}")


def test_a_task_is_submitted_watched_aborted_and_retried(
    window: Browser, url: str, client: Client
) -> None:
    window.resize(DESK)
    window.open(f"{url}/types")
    press(window, "demo.countdown")
    find(window, "input[name='argument:seconds']").send_keys("600")
    press(window, "Submit")
    until(window, "of 600")
    window.driver.execute_script("window.same = true")
    first = text(window, ".amount")
    wait_until(lambda: text(window, ".amount") != first, 30)
    assert window.driver.execute_script("return window.same") is True
    assert text(window, ".live") == "live"
    task_id = text(window, ".id.whole")
    press(window, "Abort …")
    find(window, "input[name='reason']").send_keys("it takes too long")
    press(window, "Abort the task")
    until(window, "ABORTED")
    assert "it takes too long" in text(window)
    assert client.task(task_id).get().state is State.ABORTED
    press(window, "Retry …")
    area = find(window, "textarea")
    area.clear()
    area.send_keys('{"args": [], "kwargs": {"seconds": 0.2}}')
    press(window, "Submit the new task")
    until(window, "SUCCEEDED")
    assert re.search(r"Result\s+0\.2", text(window))
    assert "this one" in text(window)
    retry = client.task(text(window, ".id.whole")).get()
    assert (retry.retry_of, retry.result) == (task_id, 0.2)


def test_a_task_is_seen_to_run_and_end_without_loading_again(
    window: Browser, url: str, client: Client
) -> None:
    task = client.submit("demo.countdown", [2], delay=1)
    window.open(f"{url}/tasks/{task.id}")
    window.driver.execute_script("window.same = true")
    until(window, "SUCCEEDED")
    assert window.driver.execute_script("return window.same") is True
    wait_until(lambda: text(window, ".live") == "", 30)


def test_a_wrong_argument_is_said_beside_its_field(window: Browser, url: str) -> None:
    window.open(f"{url}/types/demo.add")
    find(window, "input[name='argument:x']").send_keys("<two>")
    press(window, "Submit")
    until(window, "demo.add")
    field = find(window, "input[name='argument:x']")
    assert field.get_attribute("value") == "<two>"
    assert field.get_attribute("aria-invalid") == "true"
    window.messages()  # that the answer was 400


def test_the_overview_follows_what_happens(window: Browser, url: str, client: Client) -> None:
    window.open(url)
    client.submit("demo.fail", ["disk full"]).wait(30)
    until(window, "demo.fail")
    assert text(window, ".live") == "live"
    press(window, "demo.fail")
    until(window, "builtins.RuntimeError: disk full")


PAGES = ["/", "/tasks", "/tasks?state=LOUD", "/failures", "/types", "/types/demo.add"]
PAGES += [
    "/many/retry?state=FAILED",
    "/many/abort?state=EXPIRED",
    "/workers?all=1",
    "/system",
    "/pause/queue/celery",
    "/nothing",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_for_everybody(window: Browser, url: str, client: Client, scheme: str) -> None:
    """By axe-core: contrast, labels, headings, landmarks, names; and nothing is cut off."""
    client.submit("demo.fail", ["disk full"]).wait(30)
    flaky = client.submit("demo.flaky", [1]).wait(30).id
    running = client.submit("demo.countdown", [600])
    pages = [f"/{one}/{flaky}" for one in ("tasks", "retry")]
    pages += [f"/{one}/{running.id}" for one in ("tasks", "abort")]
    window.prefer(scheme)
    problems = []
    for width in (DESK, PHONE):
        window.resize(width)
        for page in [*PAGES, *pages]:
            window.open(url + page)
            problems += [f"{page} {width}: {one}" for one in window.accessibility_problems()]
            if window.driver.execute_script("return document.documentElement.scrollWidth") > width:
                problems.append(f"{page} {width}: it is wider than the window")
    assert problems == []
    running.abort()
    window.messages()  # that two pages are 400 and 404


def test_the_keyboard_is_enough(window: Browser, url: str) -> None:
    window.resize(DESK)
    window.open(f"{url}/tasks")
    body = find(window, "body")
    body.send_keys("\ue004")  # Tab
    assert window.driver.switch_to.active_element.text == "Skip to the content"
