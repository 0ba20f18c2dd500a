"""The dashboard as a program without scripts sees it: pages, forms and streams over HTTP."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any, Self

import httpx

from support.serving import InProcessServer
from taskgate.server.settings import ServerSettings
from taskgate.web.dashboard import Dashboard

SECONDS = 20


class Site:
    """A browser's session with a server's dashboard; what is asked twice is asked with cookies."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.http = httpx.Client(base_url=self.url, timeout=SECONDS)

    def get(self, path: str, status: int = 200, **options: Any) -> str:
        """A page, which must have the status."""
        answer = self.http.get(path, **options)
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{answer.text}"
        return answer.text

    def send(self, path: str, page: str, **fields: Any) -> httpx.Response:
        """Send a form with the token that is in the page, as the page's own script would."""
        data = {"csrf": csrf_token(page), **fields}
        return self.http.post(path, data=data, headers={"Origin": self.url})

    def log_in(self, token: str, path: str = "/login") -> httpx.Response:
        """Log in with a token."""
        return self.send(path, self.get(path), token=token)

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[str]]:
        """The HTML of each event of a stream, and `END` for its end."""
        with self.http.stream("GET", path, headers={"Accept": "text/event-stream"}) as answer:
            assert answer.status_code == 200, answer.status_code
            yield _events(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()


END = "END"


make_dashboard = partial(Dashboard, examine=list)
"""Without what the command line brings along."""


@contextmanager
def served(settings: ServerSettings) -> Iterator[tuple[InProcessServer, Site]]:
    """A server with its dashboard, and a session with that."""
    with (
        InProcessServer(settings, make_dashboard) as server,
        Site(server.server.dashboard_url) as site,
    ):
        yield server, site


def csrf_token(page: str) -> str:
    """What the page's forms hold."""
    [token] = set(re.findall(r'name="csrf" value="([0-9a-f]+)"', page))
    return str(token)


def text_of(page: str) -> str:
    """What is to be read on a page, in one line."""
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", page).split()))


def row(page: str, word: str) -> str:
    """The text of the only row of a table in which the word is."""
    rows = [text_of(one) for one in re.findall(r"<tr.*?</tr>", page, re.DOTALL)]
    [found] = [one for one in rows if word in one]
    return found


def fields_of(page: str) -> Mapping[str, str]:
    """The values of a page's inputs by their names."""
    found = {}
    for tag in re.findall(r"<input\b[^>]*>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in attributes:
            found[attributes["name"]] = html.unescape(attributes.get("value", ""))
    return found


def _events(answer: httpx.Response) -> Iterator[str]:
    lines: list[str] = []
    kind = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            lines.append(line.removeprefix("data: "))
        elif not line and (lines or kind):
            yield END if kind == "end" else "\n".join(lines)
            lines, kind = [], ""
