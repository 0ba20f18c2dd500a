"""dramatiq with its Redis broker: its actor, and a program that sends NUMBER messages."""

from __future__ import annotations

import os
import sys

import dramatiq
from dramatiq.brokers.redis import RedisBroker

import work

dramatiq.set_broker(RedisBroker(url=os.environ["BENCH_BROKER"]))
nothing = dramatiq.actor(work.nothing)


if __name__ == "__main__":
    for n in range(int(sys.argv[1])):
        nothing.send(n)
