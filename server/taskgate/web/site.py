"""The dashboard as an ASGI application: which page answers which URL, and what goes around each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from taskgate.server.api.authentication import Tokens
from taskgate.server.api.service import TaskService
from taskgate.server.callers import ANYONE
from taskgate.server.errors import Unauthenticated
from taskgate.server.settings import ServerSettings
from taskgate.store.errors import StoreUnavailable
from taskgate.web.calls import Calls
from taskgate.web.live import Streams
from taskgate.web.pages.actions import ActionPages
from taskgate.web.pages.failures import FailuresPage
from taskgate.web.pages.many import ManyPages
from taskgate.web.pages.overview import OverviewPages
from taskgate.web.pages.schedules import SchedulesPage
from taskgate.web.pages.system import Examine, SystemPages
from taskgate.web.pages.task import TaskPages
from taskgate.web.pages.tasks import TasksPage
from taskgate.web.pages.types import TypePages
from taskgate.web.refusals import refusal_of
from taskgate.web.security import Form, Guard, Refused, read_form
from taskgate.web.sessions import SESSION_SECONDS, Sessions
from taskgate.web.visit import Assets, Templates, Visit, see_other

READ_SECONDS = 8.0
"""Nobody waits longer for a page; what is slow then is the database."""

PageHandler = Callable[[Visit], Awaitable[Response]]
ActionHandler = Callable[[Visit, Form], Awaitable[Response]]


@dataclass(frozen=True)
class Site:
    """The pages of one server."""

    service: TaskService
    settings: ServerSettings
    sessions: Sessions
    assets: Assets
    templates: Templates
    streams: Streams
    examine: Examine

    @classmethod
    def of(
        cls,
        service: TaskService,
        settings: ServerSettings,
        tokens: Tokens | None,
        examine: Examine,
    ) -> Site:
        """The pages that show what the service answers."""
        assets = Assets()
        sessions, templates = Sessions(tokens), Templates(assets)
        return cls(service, settings, sessions, assets, templates, Streams(), examine)

    def app(self, overview: OverviewPages, cookie: str) -> Starlette:
        """The application. ``cookie``: the name of the session's."""
        task = TaskPages(self.streams)
        tasks, types, actions, many = TasksPage(), TypePages(), ActionPages(), ManyPages()
        system = SystemPages(self.settings, self.examine)
        routes = [
            self._page("/", overview.page),
            self._page("/live", overview.live),
            self._page("/tasks", tasks.page),
            self._page("/tasks/{id:path}", task.page),
            self._page("/live/tasks/{id:path}", task.live),
            self._page("/text/{part}/{id:path}", task.text),
            self._page("/abort/{id:path}", actions.ask_abort),
            self._action("/abort/{id:path}", actions.abort),
            self._page("/retry/{id:path}", actions.ask_retry),
            self._action("/retry/{id:path}", actions.retry),
            self._page("/pause/{kind}/{name:path}", actions.ask_pause),
            self._action("/pause/{kind}/{name:path}", actions.pause),
            self._page("/many/{kind}", many.ask),
            self._action("/many/{kind}", many.begin),
            self._page("/operations/{id}", many.operation),
            self._action("/operations/{id}", many.stop),
            self._page("/failures", FailuresPage().page),
            self._page("/types", types.page),
            self._page("/types/{name:path}", types.form),
            self._action("/types/{name:path}", types.submit),
            self._page("/schedules", SchedulesPage().page),
            self._page("/workers", system.workers),
            self._page("/system", system.page),
            Route("/login", self._login_page),
            Route("/login", self._log_in, methods=["POST"]),
            Route("/logout", self._log_out, methods=["POST"]),
            Route("/static/{digest}/{name}", self.assets.answer),
        ]
        session = Middleware(
            SessionMiddleware,
            secret_key=self.sessions.key,
            session_cookie=cookie,
            max_age=SESSION_SECONDS,
            same_site="strict",
            https_only=self.settings.taskgate_tls_cert is not None,
        )
        guard = Middleware(Guard, hosts=self.settings.taskgate_web_hosts)
        return Starlette(
            routes=routes, middleware=[guard, session], exception_handlers={404: self._not_found}
        )

    def _page(self, path: str, handler: PageHandler) -> Route:
        """A page that only shows something."""

        async def endpoint(request: Request) -> Response:
            try:
                visit = self._visit(request)
            except Unauthenticated:
                return self._ask_who(request)
            try:
                async with asyncio.timeout(READ_SECONDS):
                    return await handler(visit)
            except TimeoutError:
                slow = StoreUnavailable(f"the database took longer than {READ_SECONDS:g} s")
                return visit.refusal(refusal_of(slow, path))
            except Exception as exc:  # noqa: BLE001 - every error gets its page here
                return visit.refusal(refusal_of(exc, path))

        return Route(path, endpoint)

    def _action(self, path: str, handler: ActionHandler) -> Route:
        """What a form of ours sends."""

        async def endpoint(request: Request) -> Response:
            try:
                visit = self._visit(request)
            except Unauthenticated:
                return see_other("/login")
            try:
                return await handler(visit, await self._form(request))
            except Exception as exc:  # noqa: BLE001 - every error gets its page here
                return visit.refusal(refusal_of(exc, path))

        return Route(path, endpoint, methods=["POST"])

    def _visit(self, request: Request, *, is_known: bool = True) -> Visit:
        caller = self.sessions.caller(request) if is_known else ANYONE
        return Visit(
            request,
            Calls(self.service, caller, _peer(request)),
            self.sessions.csrf_token(request),
            self.templates,
            has_login=is_known and self.sessions.tokens is not None,
        )

    async def _form(self, request: Request) -> Form:
        token = self.sessions.csrf_token(request)
        return await read_form(request, token, 2 * self.settings.taskgate_max_message_bytes)

    def _ask_who(self, request: Request) -> Response:
        if "text/event-stream" in request.headers.get("accept", ""):
            return Response(status_code=401)
        if request.headers.get("sec-fetch-site") == "cross-site":
            # Browsers keep SameSite=Strict cookies back when another site's link leads here.
            return HTMLResponse(self.templates.render("again.html", {}), headers={"Refresh": "0"})
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return see_other("/login" if wanted == "/" else f"/login?next={quote(wanted, safe='')}")

    async def _login_page(self, request: Request) -> Response:
        if self.sessions.tokens is None:
            return see_other("/")
        return self._visit(request, is_known=False).page("login.html", error="")

    async def _log_in(self, request: Request) -> Response:
        visit = self._visit(request, is_known=False)
        try:
            form = await self._form(request)
            self.sessions.log_in(request, form.text("token").strip())
        except (Refused, Unauthenticated) as exc:
            refusal = refusal_of(exc, "/login")
            return visit.page("login.html", refusal.status, error=refusal.message)
        return see_other(local_path(visit.query.get("next", "")))

    async def _log_out(self, request: Request) -> Response:
        try:
            await self._form(request)
        except Refused as exc:
            return self._visit(request, is_known=False).refusal(refusal_of(exc, "/logout"))
        self.sessions.log_out(request)
        return see_other("/login")

    async def _not_found(self, request: Request, _error: Any) -> Response:
        refused = Refused(404, "There is no such page.")
        return self._visit(request, is_known=False).refusal(refusal_of(refused, "404"))


def _peer(request: Request) -> str:
    """Where the request came from, as gRPC names peers."""
    if request.client is None:
        return ""
    host, port = request.client
    return f"ipv6:[{host}]:{port}" if ":" in host else f"ipv4:{host}:{port}"


def local_path(wanted: str) -> str:
    """Where to go after logging in: one of our own pages."""
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if is_ours and wanted.isprintable() else "/"
