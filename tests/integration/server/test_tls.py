"""TLS, with and without certificates of the clients."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from support.certificates import Certificate, self_signed
from support.requests import get, submit
from support.serving import SECONDS, InProcessServer, is_unavailable, refused
from support.tokens import bearer, line
from taskgate.keda.externalscaler_pb2 import ScaledObjectRef
from taskgate.keda.externalscaler_pb2_grpc import ExternalScalerStub
from taskgate.server.addresses import AddressUnavailable
from taskgate.server.credentials import CredentialsError
from taskgate.server.settings import ServerSettings
from taskgate.v1 import task_service_pb2
from taskgate.v1.task_service_pb2_grpc import TaskServiceStub


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificate]:
    folder = tmp_path_factory.mktemp("certificates")
    return {name: self_signed(folder, name) for name in ("server", "client", "stranger")}


def credentials(authority: Certificate, own: Certificate | None = None) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        authority.certificate.read_bytes(),
        own.key.read_bytes() if own else None,
        own.certificate.read_bytes() if own else None,
    )


def answers(server: InProcessServer, channel: grpc.ChannelCredentials | None) -> bool:
    try:
        TaskServiceStub(server.channel(channel)).Submit(submit(), timeout=SECONDS)
    except grpc.RpcError as exc:
        return not is_unavailable(exc)
    return True


def test_tls(
    make_settings: Callable[..., ServerSettings], certificates: dict[str, Certificate]
) -> None:
    own = certificates["server"]
    settings = make_settings(taskgate_tls_cert=own.certificate, taskgate_tls_key=own.key)
    with InProcessServer(settings) as server:
        assert answers(server, credentials(own))
        assert not answers(server, credentials(certificates["stranger"]))
        assert not answers(server, None)


def test_mutual_tls(
    make_settings: Callable[..., ServerSettings], certificates: dict[str, Certificate]
) -> None:
    own, client = certificates["server"], certificates["client"]
    settings = make_settings(
        taskgate_tls_cert=own.certificate,
        taskgate_tls_key=own.key,
        taskgate_tls_client_ca=client.certificate,
    )
    with InProcessServer(settings) as server:
        assert answers(server, credentials(own, client))
        assert not answers(server, credentials(own))
        assert not answers(server, credentials(own, certificates["stranger"]))


def test_keda_shows_a_certificate(
    make_settings: Callable[..., ServerSettings],
    certificates: dict[str, Certificate],
    tmp_path: Path,
) -> None:
    own, client = certificates["server"], certificates["client"]
    tokens = tmp_path / "tokens"
    tokens.write_text("client  certificate  roles=read")
    settings = make_settings(
        taskgate_tls_cert=own.certificate,
        taskgate_tls_key=own.key,
        taskgate_tls_client_ca=client.certificate,
        taskgate_tokens_file=tokens,
    )
    with InProcessServer(settings) as server:
        scaler = ExternalScalerStub(server.channel(credentials(own, client)))
        ref = ScaledObjectRef(scaler_metadata={"queues": "mail"})
        assert scaler.IsActive(ref, timeout=SECONDS).result is False


def test_a_missing_certificate_is_told(
    make_settings: Callable[..., ServerSettings], tmp_path: Path
) -> None:
    settings = make_settings(
        taskgate_tls_cert=tmp_path / "none.pem", taskgate_tls_key=tmp_path / "none-key.pem"
    )
    with pytest.raises(CredentialsError, match="none"), InProcessServer(settings):
        pass


def test_a_certificate_that_is_none_is_told(
    make_settings: Callable[..., ServerSettings], tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("wrong")
    settings = make_settings(taskgate_tls_cert=wrong, taskgate_tls_key=wrong)
    with pytest.raises(CredentialsError, match="certificate"), InProcessServer(settings):
        pass


def test_an_address_in_use_is_told(
    make_settings: Callable[..., ServerSettings], server: InProcessServer
) -> None:
    settings = make_settings(taskgate_address=server.address)
    with pytest.raises(AddressUnavailable, match="in use"), InProcessServer(settings):
        pass


def test_a_client_certificates_name_is_the_caller(
    make_settings: Callable[..., ServerSettings], certificates: dict[str, Certificate]
) -> None:
    own, client = certificates["server"], certificates["client"]
    settings = make_settings(
        taskgate_tls_cert=own.certificate,
        taskgate_tls_key=own.key,
        taskgate_tls_client_ca=client.certificate,
    )
    with InProcessServer(settings) as server:
        stub = TaskServiceStub(server.channel(credentials(own, client)))
        task = stub.Submit(submit(), timeout=SECONDS).task
        assert task.submitted_by == "client"
        aborted = stub.Abort(task_service_pb2.AbortRequest(id=task.id), timeout=SECONDS).task
        assert aborted.abort.by == "client"


def test_a_certificates_line_says_what_its_caller_may(
    make_settings: Callable[..., ServerSettings],
    certificates: dict[str, Certificate],
    tmp_path: Path,
) -> None:
    own, client = certificates["server"], certificates["client"]
    tokens = tmp_path / "tokens"
    tokens.write_text("client certificate roles=read,submit\n" + line("alice", "apple"))
    settings = make_settings(
        taskgate_tls_cert=own.certificate,
        taskgate_tls_key=own.key,
        taskgate_tls_client_ca=client.certificate,
        taskgate_tokens_file=tokens,
    )
    with InProcessServer(settings) as server:
        stub = TaskServiceStub(server.channel(credentials(own, client)))
        task = stub.Submit(submit(), timeout=SECONDS).task
        assert task.submitted_by == "client"
        abort = task_service_pb2.AbortRequest(id=task.id)
        refusal = refused(stub.Abort, abort)
        assert refusal.reason == "ROLE_MISSING"
        assert refusal.metadata == {"caller": "client", "role": "abort"}
        aborted = stub.Abort(abort, metadata=bearer("apple"), timeout=SECONDS).task
        assert aborted.abort.by == "alice"
        tokens.write_text("somebody certificate\n" + line("alice", "apple"))
        assert refused(stub.Get, get(task.id)).reason == "TOKEN_MISSING"


def test_new_certificates_count_without_a_restart(
    make_settings: Callable[..., ServerSettings],
    certificates: dict[str, Certificate],
    tmp_path: Path,
) -> None:
    first, second = certificates["server"], certificates["stranger"]
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"

    def install(one: Certificate) -> None:
        shutil.copy(one.certificate, certificate)
        shutil.copy(one.key, key)

    install(first)
    settings = make_settings(taskgate_tls_cert=certificate, taskgate_tls_key=key)
    with InProcessServer(settings) as server:
        assert answers(server, credentials(first))
        install(second)
        assert answers(server, credentials(second))
        assert not answers(server, credentials(first))
        key.unlink()
        assert answers(server, credentials(second))
