"""What people put before Celery today: a web handler that calls ``apply_async``."""

from __future__ import annotations

from flask import Flask, request

from stock import app as celery_app

celery_app.loader.import_default_modules()

app = Flask("web")


@app.post("/tasks/<task_type>")
def submit(task_type: str) -> dict[str, str]:
    """Send a task with the arguments of the request; answer its id."""
    arguments = request.get_json()
    return {"id": celery_app.tasks[task_type].apply_async(args=arguments["args"]).id}
