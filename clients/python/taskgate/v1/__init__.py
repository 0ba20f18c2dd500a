"""The messages and stubs of taskgate.v1, generated from protos/taskgate/v1 (`make generate`)."""

from __future__ import annotations
