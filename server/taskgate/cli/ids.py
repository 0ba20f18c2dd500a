"""Short ids: what a narrow terminal shows of a UUID, and every command takes for it."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import islice

from taskgate.cli import exits
from taskgate.cli.exits import CommandError
from taskgate.client import Client

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHORT = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{4,26}", re.IGNORECASE)
_SHORTEST = 18
"""Of a UUIDv7: its millisecond, and twelve random bits."""


def short_ids(ids: Collection[str]) -> dict[str, str]:
    """The beginnings of UUIDs that tell them apart, of one length; other ids are whole."""
    uuids = {one for one in ids if _UUID.fullmatch(one)}
    for length in range(_SHORTEST, 36):
        short = {one: one[:length].rstrip("-") if one in uuids else one for one in ids}
        if len(set(short.values())) == len(short):
            return short
    return {one: one for one in ids}


def whole_id(client: Client, word: str) -> str:
    """The id that a short one stands for; any other word as it is.

    Raises:
        CommandError: it stands for several.
        TaskgateError: the server does not answer.
    """
    if not _SHORT.fullmatch(word):
        return word
    found = [task.id for task in islice(client.list(id_prefix=word, page_size=3), 3)]
    if len(found) > 1:
        heading = f"{word!r} is the beginning of more than one id"
        raise CommandError(heading, exit_code=exits.REFUSED, more=tuple(found))
    return found[0] if found else word
