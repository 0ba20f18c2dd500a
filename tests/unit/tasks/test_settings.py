from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from taskgate.tasks.settings import Settings


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret@h:6379/0",
        "rediss://h/0",
        "rediss://h/0?ssl_cert_reqs=required",
        "redis+socket:///run/redis.sock",
        "amqp://u:p@h//",
        "amqps://h/v?heartbeat=10",
        "pyamqp://h//",
        "amqp://a//;amqp://b//",
        "sqla+postgresql://u@h/x",
        "sqla+sqlite:////var/broker.db",
    ],
)
def test_brokers_that_work_are_taken_as_they_are(url: str) -> None:
    assert Settings(celery_broker_url=url).celery_broker_url == url


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("memory://", "'memory' brokers cannot be used: use redis://"),
        ("sentinel://:secret@h", "'sentinel' brokers cannot be used"),
        ("sqs://secret:secret@", "'sqs' brokers cannot be used"),
        ("filesystem://", "'filesystem' brokers cannot be used"),
        ("localhost:6379", "'localhost:6379' brokers cannot be used"),
        ("amqp://a//;memory://", "'memory' brokers cannot be used"),
        ("redis://:secret@h/0?ssl=true", r"\?ssl= has no meaning: TLS is rediss://"),
        ("rediss://:secret@h/0?ssl_cert_reqs=maybe", "is no broker's URL: 'maybe'"),
        ("redis://:secret@h:port/0", "Port could not be cast"),
        ("redis://:secret@h/0?colour=red", "unexpected keyword argument 'colour'"),
        ("sqla+mysql://u:secret@h/x", "'mysql' databases cannot hold"),
        ("sqla+sqlite://", "in memory"),
    ],
)
def test_brokers_that_cannot_work_are_refused(url: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        Settings(celery_broker_url=url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret@h:6379/0",
        "rediss://h/0?ssl_cert_reqs=CERT_REQUIRED",
        "redis://h/0?health_check_interval=10",
        "redis+socket:///run/redis.sock",
        "db+postgresql://u:secret@h/x",
        "db+sqlite:////var/results.db",
        None,
    ],
)
def test_mirrors_that_work_are_taken_as_they_are(url: str | None) -> None:
    assert Settings(celery_result_backend=url).celery_result_backend == url


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("cache+memory://", "cannot be mirrored to 'cache"),
        ("rpc://", "cannot be mirrored to 'rpc'"),
        ("sentinel://:secret@h", "cannot be mirrored to 'sentinel'"),
        ("db+mysql://u:secret@h/x", "'mysql' databases cannot hold"),
        ("rediss://:secret@h/0", "rediss:// needs"),
        ("rediss://:secret@h/0?ssl_cert_reqs=maybe", "rediss:// needs"),
        ("redis://:secret@h/0?ssl=true", "unexpected keyword argument 'ssl'"),
        ("redis://:secret@h/0?colour=red", "unexpected keyword argument 'colour'"),
    ],
)
def test_mirrors_that_cannot_work_are_refused(url: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        Settings(celery_result_backend=url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://u:secret@h/x", "sqlite://", "u:secret", "redis://h"])
def test_records_that_cannot_work_are_refused(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(postgres_url=url)
    assert "database" in str(caught.value)
    assert "://u:secret" not in str(caught.value)


def test_relative_paths_do_not_change_with_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "POSTGRES_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    settings = Settings(celery_result_backend="db+sqlite:///results.db")
    assert settings.celery_broker_url == f"sqla+sqlite:///{tmp_path}/.taskgate/broker.db"
    assert settings.postgres_url == f"sqlite:///{tmp_path}/.taskgate/record.db"
    assert settings.celery_result_backend == f"db+sqlite:///{tmp_path}/results.db"
