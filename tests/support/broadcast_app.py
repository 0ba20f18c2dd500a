"""An app of someone who broadcasts to all workers."""

from __future__ import annotations

import os

from celery import Celery
from kombu import Exchange, Queue
from kombu.common import Broadcast

from taskgate.tasks import manage

app = Celery("broadcasts", broker=os.environ["CELERY_BROKER_URL"], set_as_current=False)
app.conf.task_queues = [Broadcast("news"), Queue("one", Exchange("all", type="fanout"))]
manage(app)
