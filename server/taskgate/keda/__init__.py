"""The calls that KEDA makes, generated from protos/taskgate/keda (`make generate`)."""

from __future__ import annotations
