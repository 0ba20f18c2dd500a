"""Who gets in, and what a page or another site cannot make a browser do."""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from support.certificates import self_signed
from support.serving import InProcessServer
from support.site import Site, csrf_token, make_dashboard, served, text_of
from taskgate.server.settings import ServerSettings

ANN, BEN = "ann's token", "ben's token"


def lines(**tokens: str) -> str:
    return "".join(f"{n} {hashlib.sha256(t.encode()).hexdigest()}\n" for n, t in tokens.items())


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(lines(ann=ANN, ben=BEN))
    return path


@pytest.fixture
def guarded(make_settings: Callable[..., ServerSettings], tokens_file: Path) -> Iterator[Site]:
    with served(make_settings(taskgate_tokens_file=tokens_file)) as (_, site):
        yield site


PAGES = ["/", "/tasks", "/tasks/some-id", "/failures", "/types", "/workers", "/system"]


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_every_page_leads_to_the_login(guarded: Site, path: str) -> None:
    answer = guarded.http.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("path", ["/live", "/live/tasks/some-id"])
def test_without_a_session_nothing_is_streamed(guarded: Site, path: str) -> None:
    answer = guarded.http.get(path, headers={"Accept": "text/html, text/event-stream"})
    assert (answer.status_code, answer.text) == (401, "")


def test_a_token_opens_a_session_that_knows_its_name(guarded: Site) -> None:
    answer = guarded.log_in(f"  {ANN}\n", "/login?next=/tasks%3Fstate%3DFAILED")
    assert (answer.status_code, answer.headers["location"]) == (303, "/tasks?state=FAILED")
    assert "ann" in text_of(guarded.get("/"))


@pytest.mark.parametrize("wanted", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_the_login_leads_to_no_other_site(guarded: Site, wanted: str) -> None:
    answer = guarded.send(f"/login?next={wanted}", guarded.get("/login"), token=ANN)
    assert answer.headers["location"] == "/"


def test_the_cookie_is_for_this_site_and_no_script(guarded: Site) -> None:
    cookie = guarded.log_in(ANN).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert ANN not in cookie


def test_a_token_that_is_nobodys_opens_nothing(guarded: Site) -> None:
    answer = guarded.log_in("guessed")
    assert answer.status_code == 401
    assert "not one of this server's" in text_of(answer.text)
    assert guarded.http.get("/").status_code == 303


def test_a_session_ends_with_its_token(guarded: Site, tokens_file: Path) -> None:
    guarded.log_in(ANN)
    guarded.get("/")
    new = tokens_file.with_suffix(".new")
    new.write_text(lines(ben=BEN))
    new.rename(tokens_file)
    assert guarded.http.get("/").status_code == 303


def test_logging_out_ends_the_session(guarded: Site) -> None:
    guarded.log_in(ANN)
    assert guarded.send("/logout", guarded.get("/")).headers["location"] == "/login"
    assert guarded.http.get("/").status_code == 303


def test_a_cookie_that_was_made_elsewhere_opens_nothing(guarded: Site) -> None:
    guarded.log_in(ANN)
    [name] = guarded.http.cookies
    value, dot, signature = guarded.http.cookies[name].rpartition(".")
    guarded.http.cookies[name] = f"{value}{dot}{signature[::-1]}"
    assert guarded.http.get("/").status_code == 303


def test_a_link_from_another_site_is_followed_with_the_session(guarded: Site) -> None:
    """Browsers keep a strict cookie back then; our own page asks again, with it."""
    answer = guarded.http.get("/tasks?state=FAILED", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["refresh"]) == (200, "0")


def test_a_form_without_the_pages_token_changes_nothing(guarded: Site) -> None:
    guarded.log_in(ANN)
    for forged in ["", "0" * 64]:
        origin = {"Origin": guarded.url}
        answer = guarded.http.post("/logout", data={"csrf": forged}, headers=origin)
        assert answer.status_code == 403
    assert guarded.http.get("/").status_code == 200


def test_a_form_has_the_token_of_its_own_session_only(guarded: Site) -> None:
    guarded.log_in(ANN)
    first = csrf_token(guarded.get("/"))
    guarded.send("/logout", guarded.get("/"))
    guarded.log_in(ANN)
    assert csrf_token(guarded.get("/")) != first


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_a_form_of_another_site_changes_nothing(guarded: Site, origin: str) -> None:
    guarded.log_in(ANN)
    token = csrf_token(guarded.get("/"))
    answer = guarded.http.post("/logout", data={"csrf": token}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert guarded.http.get("/").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_do_nothing(site: Site, method: str) -> None:
    assert site.http.request(method, "/tasks").status_code == 405


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil", ""])
def test_a_name_that_is_not_ours_is_not_answered(site: Site, host: str) -> None:
    """Another site whose name leads here (DNS rebinding) sees nothing."""
    answer = site.http.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "TASKGATE_WEB_HOSTS" in answer.text


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "127.0.0.1", "[::1]:1", "Ours.Example"]
)
def test_addresses_and_named_hosts_are_answered(
    make_settings: Callable[..., ServerSettings], host: str
) -> None:
    with served(make_settings(taskgate_web_hosts="a.example, ours.example")) as (_, site):
        site.get("/", headers={"Host": host})


@pytest.mark.parametrize("path", ["/", "/login", "/tasks", "/nothing", "/static/0/taskgate.css"])
def test_every_answer_has_the_headers_that_keep_it_safe(site: Site, path: str) -> None:
    headers = site.http.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_pages_have_no_script_or_style_within_them(site: Site) -> None:
    for path in ("/", "/tasks"):
        page = site.get(path)
        assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
        assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page) == []
        assert re.findall(r"(?:src|href|action)=\"(?!/|#)[^\"]*\"", page) == []


def test_assets_are_kept_by_browsers_until_they_change(site: Site) -> None:
    for url in re.findall(r'(?:href|src)="(/static/[^"]+)"', site.get("/")):
        answer = site.http.get(url)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert "sourceMappingURL" not in answer.text


def test_a_form_that_is_too_long_or_none_is_refused(
    make_settings: Callable[..., ServerSettings], tokens_file: Path
) -> None:
    settings = make_settings(taskgate_max_message_bytes=65_536, taskgate_tokens_file=tokens_file)
    with served(settings) as (_, site):
        page = site.get("/login")
        assert site.send("/login", page, token="x" * 140_000).status_code == 413
        assert site.send("/login", page, **{f"f{n}": "" for n in range(2_000)}).status_code == 400
        origin = {"Origin": site.url}
        for body, kind in ((b"{}", "application/json"), (b"\xff=1", "text/plain")):
            answer = site.http.post(
                "/login", content=body, headers={**origin, "Content-Type": kind}
            )
            assert answer.status_code == 415


def test_over_tls_the_cookie_stays_there(
    make_settings: Callable[..., ServerSettings], tokens_file: Path, tmp_path: Path
) -> None:
    made = self_signed(tmp_path, "web")
    settings = make_settings(
        taskgate_tls_cert=made.certificate,
        taskgate_tls_key=made.key,
        taskgate_tokens_file=tokens_file,
    )
    with InProcessServer(settings, make_dashboard) as server:
        url = server.server.dashboard_url
        assert url.startswith("https://")
        with Site(url) as site:
            trusting = ssl.create_default_context(cafile=made.certificate)
            site.http = httpx.Client(base_url=site.url, verify=trusting)
            assert "secure" in site.log_in(ANN).headers["set-cookie"].lower()
