"""What all pages share: templates, assets, and how one is made for a viewer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from taskgate.server.api.interceptor import VERSION
from taskgate.server.callers import Caller
from taskgate.web import formats, plots
from taskgate.web.calls import Calls
from taskgate.web.refusals import Refusal

_SCRIPTS = ("vendor/htmx.min.js", "vendor/hx-sse.min.js", "live.js")
"""Served as one, in this order: what comes later must be there when htmx looks at the page."""

_YEAR = "public, max-age=31536000, immutable"


class Assets:
    """The style sheet, the script and the icon, by names that change with what is in them."""

    def __init__(self) -> None:
        folder = files("taskgate.web") / "static"
        script = b"\n".join(folder.joinpath(name).read_bytes() for name in _SCRIPTS)
        self._files = {
            "taskgate.css": ("text/css", folder.joinpath("taskgate.css").read_bytes()),
            "taskgate.js": ("text/javascript", script),
            "icon.svg": ("image/svg+xml", folder.joinpath("icon.svg").read_bytes()),
        }
        contents = b"".join(content for _, content in self._files.values())
        self.digest = hashlib.sha256(contents).hexdigest()[:12]

    def url(self, name: str) -> str:
        """Where a page finds it."""
        return f"/static/{self.digest}/{name}"

    def answer(self, request: Request) -> Response:
        """One of them, or 404."""
        name = request.path_params["name"]
        if name not in self._files or request.path_params["digest"] != self.digest:
            return Response(status_code=404)
        media_type, content = self._files[name]
        return Response(content, media_type=media_type, headers={"Cache-Control": _YEAR})


class Templates:
    """The templates. Everything that is put into them is escaped."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=PackageLoader("taskgate.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            {
                name: getattr(formats, name)
                for name in (
                    "moment", "utc", "ago", "rough", "span", "number", "percent", "state_name",
                    "outcome_name", "error_reason", "event_kind", "worker_state", "short_id",
                    "path", "arguments_text", "result_text", "tick_outcome",
                )
            }
        )  # fmt: skip
        self._environment.globals.update(
            asset=assets.url, version=VERSION, sparkline=plots.sparkline
        )

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """A template's HTML."""
        return self._environment.get_template(name).render(values)


@dataclass(frozen=True)
class Visit:
    """A request, and for whom it is answered."""

    request: Request
    calls: Calls
    csrf_token: str
    templates: Templates
    has_login: bool

    @property
    def caller(self) -> Caller:
        return self.calls.caller

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The URL's parameters; of one that is there twice, the last."""
        return dict(self.request.query_params)

    def page(self, name: str, status: int = 200, **values: Any) -> Response:
        """A page for the viewer."""
        common = {
            "caller": self.caller.name,
            "csrf_token": self.csrf_token,
            "has_login": self.has_login,
            "here": self.request.url.path,
        }
        return HTMLResponse(self.templates.render(name, {**common, **values}), status)

    def refusal(self, refusal: Refusal) -> Response:
        """A page that says why there is no other."""
        answer = self.page("refusal.html", refusal.status, refusal=refusal)
        if refusal.is_passing:
            answer.headers["Retry-After"] = "5"
            if self.request.method == "GET":
                answer.headers["Refresh"] = "5"
        return answer


def see_other(path: str) -> Response:
    """What a form answers once it has done its work: the page that shows it."""
    return RedirectResponse(path, 303)
