"""What every request and answer goes through, whoever asks.

- Only names that are ours are answered (`Host`), so that no other site can become us by its DNS.
- Only our own pages may change anything (`Origin`, and a token in each form).
- A page loads nothing but what this server has, runs no script within it, and is framed by nobody.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # none at all would make each form's Origin `null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""In every answer."""

_SAFE_METHODS = ("GET", "HEAD")
MAX_FORM_FIELDS = 1_000
CSRF_FIELD = "csrf"


class Refused(Exception):
    """A request that is not for us, or not from one of our pages."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """Refuses what is not for us or from us, and adds our headers to every answer."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        """``hosts``: names that lead here, beside ``localhost`` and addresses."""
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        app = self._app
        try:
            check_request(scope["method"], Headers(scope=scope), self._hosts)
        except Refused as refused:
            app = PlainTextResponse(f"{refused}\n", refused.status)
        await app(scope, receive, send_guarded)


def check_request(method: str, headers: Headers, hosts: Collection[str]) -> None:
    """See that a request is for us and, if it may change something, from one of our pages.

    Raises:
        Refused: it is not.
    """
    host = headers.get("host", "")
    if not _is_ours(host, hosts):
        raise Refused(
            421, f"This dashboard is not known as {host!r}; name it in TASKGATE_WEB_HOSTS."
        )
    if method in _SAFE_METHODS:
        return
    if method != "POST":
        raise Refused(405, f"{method} does nothing here.")
    if urlsplit(headers.get("origin", "")).netloc.lower() != host.lower():
        raise Refused(403, "Only this dashboard's own pages may change something (Origin).")


def _is_ours(host: str, hosts: Collection[str]) -> bool:
    """An address cannot be another site's name; any name but these could."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in ("localhost", *hosts):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class Form:
    """A form's fields, as they were sent; a field that was left out is empty."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """The field's text, with newlines as Python has them."""
        return self._fields.get(name, [""])[-1].replace("\r\n", "\n")

    def has(self, name: str) -> bool:
        """Whether it was sent: a box that is not ticked is not."""
        return name in self._fields


async def read_form(request: Request, token: str, max_bytes: int) -> Form:
    """The form that one of our pages sent.

    Raises:
        Refused: it is none, it is too long, or our token is not in it.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise Refused(415, "Send a form.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise Refused(413, f"The form is longer than {max_bytes:,} bytes.")
    try:
        text = body.decode("ascii")
        fields = parse_qs(text, True, True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except ValueError as exc:
        raise Refused(400, f"The form cannot be read: {exc}.") from exc
    form = Form(fields)
    if not hmac.compare_digest(form.text(CSRF_FIELD).encode(), token.encode()):
        raise Refused(403, "The page was made for another session: load it again, and repeat.")
    return form
