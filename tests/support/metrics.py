"""What a server tells Prometheus."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

Sample = tuple[str, frozenset[tuple[str, str]]]
Samples = Mapping[Sample, float]

SECONDS = 20


def sample(metric: str, /, **labels: str) -> Sample:
    """The key of a sample, by its name and labels."""
    return metric, frozenset(labels.items())


def scrape_text(address: str) -> str:
    """What Prometheus would get."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=SECONDS) as answer:
        return str(answer.read().decode())


def scrape(address: str) -> Samples:
    """The samples that Prometheus would get."""
    return {
        sample(one.name, **one.labels): one.value
        for family in text_string_to_metric_families(scrape_text(address))
        for one in family.samples
    }
