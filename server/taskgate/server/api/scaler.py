"""KEDA's external scaler: how many workers the tasks of some queues need.

The metric is the tasks that wait or run, divided by the slots of one worker. KEDA divides it by the
number of workers, which makes (waiting + running) / slots, and aims at ``load``. Workers that were
asked for and have not started yet count in that division, so a slow start does not bring more.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import grpc

from taskgate.keda import externalscaler_pb2, externalscaler_pb2_grpc
from taskgate.server.api.authentication import caller
from taskgate.server.api.overview import FRESH_SECONDS, Overview, Reading, slots
from taskgate.server.errors import Violations
from taskgate.server.requests import fields
from taskgate.store.lifecycle import ACTIVE, State
from taskgate.store.pauses import Kind, Target
from taskgate.store.stats import Activity

SERVICE_NAME = externalscaler_pb2.DESCRIPTOR.services_by_name["ExternalScaler"].full_name

METRIC = "taskgate-load"

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class _Trigger:
    """What a trigger's metadata say."""

    queues: tuple[str, ...]
    load: float
    """What a worker is to have to do for each of its slots."""
    slots: float | None
    """Those of one worker; as the living ones say, if None."""


class Scaler(externalscaler_pb2_grpc.ExternalScalerServicer):
    """Says how much there is to do."""

    def __init__(self, overview: Overview) -> None:
        self._overview = overview
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End what is streamed."""
        self._closing.set()

    async def IsActive(
        self, request: externalscaler_pb2.ScaledObjectRef, context: Context
    ) -> externalscaler_pb2.IsActiveResponse:
        trigger = _trigger(request)
        return externalscaler_pb2.IsActiveResponse(result=await self._is_active(trigger))

    async def StreamIsActive(
        self, request: externalscaler_pb2.ScaledObjectRef, context: Context
    ) -> AsyncIterator[externalscaler_pb2.IsActiveResponse]:
        trigger, said = _trigger(request), None
        while not self._closing.is_set():
            is_active = await self._is_active(trigger)
            if is_active is not said:
                said = is_active
                yield externalscaler_pb2.IsActiveResponse(result=is_active)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), FRESH_SECONDS)

    async def GetMetricSpec(
        self, request: externalscaler_pb2.ScaledObjectRef, context: Context
    ) -> externalscaler_pb2.GetMetricSpecResponse:
        load = _trigger(request).load
        spec = externalscaler_pb2.MetricSpec(
            metric_name=METRIC, target_size=math.ceil(load), target_size_float=load
        )
        return externalscaler_pb2.GetMetricSpecResponse(metric_specs=[spec])

    async def GetMetrics(
        self, request: externalscaler_pb2.GetMetricsRequest, context: Context
    ) -> externalscaler_pb2.GetMetricsResponse:
        trigger = _trigger(request.scaled_object_ref)
        value = _load(trigger, await self._reading())
        metric = externalscaler_pb2.MetricValue(
            metric_name=METRIC, metric_value=math.ceil(value), metric_value_float=value
        )
        return externalscaler_pb2.GetMetricsResponse(metric_values=[metric])

    async def _is_active(self, trigger: _Trigger) -> bool:
        return _to_do(trigger, await self._reading()) > 0

    async def _reading(self) -> Reading:
        return (await self._overview.recent()).seen_by(caller.get())


def _load(trigger: _Trigger, reading: Reading) -> float:
    to_do = _to_do(trigger, reading)
    per_worker = trigger.slots or _slots_per_worker(trigger, reading)
    # Nobody knows how many slots a worker will have: the first one will tell.
    return min(to_do, trigger.load) if per_worker is None else to_do / per_worker


def _to_do(trigger: _Trigger, reading: Reading) -> int:
    """Tasks that run, or that more workers would start."""
    by_queue, number = reading.by_queue(), 0
    for queue in trigger.queues:
        live = by_queue.get(queue, Activity.none()).live
        number += sum(live.get(state, 0) for state in ACTIVE)
        if Target(Kind.QUEUE, queue) not in reading.pauses:
            number += live.get(State.QUEUED, 0)
    return number


def _slots_per_worker(trigger: _Trigger, reading: Reading) -> float | None:
    taking = {one.id: one for queue in trigger.queues for one in reading.workers_of(queue)}
    total = slots(tuple(taking.values()))
    return total / len(taking) if total else None


def _trigger(ref: externalscaler_pb2.ScaledObjectRef) -> _Trigger:
    """What the metadata say. KEDA puts words of its own among them.

    Raises:
        InvalidRequest: they are wrong.
    """
    given, violations = ref.scaler_metadata, Violations()
    queues = tuple(name.strip() for name in given.get("queues", "").split(",") if name.strip())
    if not queues:
        violations.add("scaler_metadata.queues", "name one or more queues: mail,reports")
    for name in queues:
        fields.text(name, "scaler_metadata.queues", fields.MAX_NAME_LENGTH, violations)
    load = _positive(given, "load", violations)
    per_worker = _positive(given, "slots", violations)
    violations.raise_if_any()
    return _Trigger(queues, 1.0 if load is None else load, per_worker)


def _positive(given: Any, name: str, violations: Violations) -> float | None:
    text = given.get(name, "")
    if not text:
        return None
    with suppress(ValueError):
        number = float(text)
        if 0 < number < math.inf:
            return number
    violations.add(f"scaler_metadata.{name}", f"{text!r} is no positive number")
    return None
