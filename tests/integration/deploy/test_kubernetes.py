"""The Helm chart: what it makes of its values. Skipped where there is no helm."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from taskgate.server.settings import ServerSettings

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy" / "helm" / "taskgate"

GUARDED = ("server.tlsSecretName=tls", "server.tokensSecretName=tokens")
INSECURE = ("server.insecure=true",)
KEDA = ("workers.default.keda.enabled=true", "workers.default.keda.authentication=keda")

Manifest = Mapping[str, Any]


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which("helm", path=f"{ROOT / '.tools' / 'bin'}:/usr/bin:/usr/local/bin")
    if found is None:
        pytest.skip("helm is not installed: go install helm.sh/helm/v3/cmd/helm@latest")
    return subprocess.run([found, *words], capture_output=True, text=True, check=False)


def template(*values: str) -> dict[tuple[str, str], Manifest]:
    """The manifests, by kind and name."""
    options = [word for value in values for word in ("--set", value)]
    kubernetes = ("--kube-version", "1.33.0")  # a helm of `go install` believes in an old one
    told = helm("template", "tg", str(CHART), "--namespace", "jobs", *kubernetes, *options)
    assert told.returncode == 0, told.stderr
    manifests = [one for one in yaml.safe_load_all(told.stdout) if one]
    assert all(one["apiVersion"] for one in manifests)
    return {(one["kind"], one["metadata"]["name"]): one for one in manifests}


def container(manifest: Manifest) -> Manifest:
    [only] = manifest["spec"]["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def environment(manifest: Manifest) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(manifest).get("env", ())}


@pytest.mark.parametrize("values", [GUARDED, INSECURE, (*GUARDED, *KEDA)])
def test_lint(values: tuple[str, ...]) -> None:
    options = [word for value in values for word in ("--set", value)]
    told = helm("lint", "--strict", str(CHART), *options)
    assert told.returncode == 0, told.stdout + told.stderr


def test_a_server_that_is_open_has_to_be_wanted() -> None:
    told = helm("template", "tg", str(CHART), "--kube-version", "1.33.0")
    assert told.returncode != 0
    assert "server.insecure=true" in told.stderr


@pytest.mark.parametrize("values", [GUARDED, INSECURE])
def test_the_servers_environment_is_one_that_it_takes(
    values: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = template(*values)["Deployment", "tg-server"]
    for name, value in environment(server).items():
        monkeypatch.setenv(name, value)
    settings = ServerSettings()
    assert settings.taskgate_address == "0.0.0.0:50051"
    assert settings.taskgate_metrics_address == "0.0.0.0:9464"
    grace = server["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > settings.taskgate_drain_seconds + 10


def test_probes() -> None:
    plain = container(template(*INSECURE)["Deployment", "tg-server"])
    assert plain["readinessProbe"]["grpc"] == {"port": 50051}
    assert plain["livenessProbe"]["grpc"]["service"] == "liveness"
    guarded = container(template(*GUARDED)["Deployment", "tg-server"])
    assert "grpc" not in guarded["readinessProbe"]
    worker = template(*INSECURE)["Deployment", "tg-worker-default"]
    alive = environment(worker)["TASKGATE_WORKER_ALIVE_FILE"]
    assert alive in container(worker)["livenessProbe"]["exec"]["command"][-1]


def test_what_mounts_are_of_is_there() -> None:
    manifests = template(*GUARDED, "server.clientCaSecretName=ca")
    for (kind, _), manifest in manifests.items():
        if kind in {"Deployment", "Job"}:
            pod = manifest["spec"]["template"]["spec"]
            volumes = {volume["name"] for volume in pod.get("volumes", ())}
            mounts = {mount["name"] for mount in container(manifest).get("volumeMounts", ())}
            assert mounts == volumes
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert container(manifest)["securityContext"]["readOnlyRootFilesystem"] is True


def test_labels_are_selected() -> None:
    manifests = template(*INSECURE)
    for (kind, _), manifest in manifests.items():
        if kind == "Deployment":
            selector = manifest["spec"]["selector"]["matchLabels"].items()
            assert selector <= manifest["spec"]["template"]["metadata"]["labels"].items()
    labels = manifests["Deployment", "tg-server"]["spec"]["template"]["metadata"]["labels"].items()
    assert manifests["Service", "tg"]["spec"]["selector"].items() <= labels
    budget = manifests["PodDisruptionBudget", "tg-server"]["spec"]
    assert budget["selector"]["matchLabels"].items() <= labels


def test_the_tables_are_upgraded_first() -> None:
    job = template(*INSECURE)["Job", "tg-migrate"]
    assert container(job)["args"] == ["db", "upgrade"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"


def test_keda_looks_after_the_number_of_workers() -> None:
    manifests = template(*GUARDED, *KEDA, "workers.default.queues=a\\,b")
    worker = manifests["Deployment", "tg-worker-default"]
    assert "replicas" not in worker["spec"]
    scaled = manifests["ScaledObject", "tg-worker-default"]["spec"]
    assert scaled["scaleTargetRef"] == {"name": "tg-worker-default"}
    [trigger] = scaled["triggers"]
    assert trigger["metadata"]["scalerAddress"] == "tg.jobs:50051"
    assert trigger["metadata"]["queues"] == "a,b"
    assert trigger["authenticationRef"] == {"name": "keda"}
    assert "--queues=a,b" in container(worker)["args"]


def test_more_workers() -> None:
    values = (
        f"workers.mail.{one}"
        for one in (
            "queues=mail",
            "pool=threads",
            "concurrency=50",
            "replicas=3",
            "terminationGracePeriodSeconds=30",
            "keda.enabled=false",
        )
    )
    manifests = template(*INSECURE, *values, "env.TASKGATE_TASKS=my.tasks")
    worker = manifests["Deployment", "tg-worker-mail"]
    assert worker["spec"]["replicas"] == 3
    assert environment(worker)["TASKGATE_TASKS"] == "my.tasks"
    assert {"--pool=threads", "--concurrency=50"} <= set(container(worker)["args"])
