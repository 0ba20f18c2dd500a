"""The tasks as Celery's, for taskgate and for stock Celery."""

from __future__ import annotations

from celery import shared_task

import work

for _function in (work.nothing, work.ten_kilobytes, work.ten_milliseconds, work.one_second):
    shared_task(name=f"bench.{_function.__name__}")(_function)
