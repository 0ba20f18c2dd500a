"""The lifecycle's table is sound in itself."""

from __future__ import annotations

import pytest

from taskgate.store import lifecycle
from taskgate.store.lifecycle import ACTIVE, FINAL, TRANSITIONS, WAITING, State, Transition

UNFINAL = frozenset(State) - FINAL


def names(transitions: tuple[Transition, ...]) -> list[str]:
    return [transition.name for transition in transitions]


def reachable_from(state: State) -> set[State]:
    reached = {state}
    while True:
        further = {t.target for t in TRANSITIONS if t.sources & reached}
        if further <= reached:
            return reached
        reached |= further


def test_every_state_is_waiting_active_or_final() -> None:
    assert frozenset(State) == WAITING | ACTIVE | FINAL
    assert len(WAITING) + len(ACTIVE) + len(FINAL) == len(State)


def test_every_transition_is_in_the_table() -> None:
    defined = {t for t in vars(lifecycle).values() if isinstance(t, Transition)}
    by_source = {*lifecycle.REPORT.values(), *lifecycle.REPLACE.values()}
    assert defined | by_source == set(TRANSITIONS)


@pytest.mark.parametrize("transition", TRANSITIONS, ids=names(TRANSITIONS))
def test_nothing_leaves_a_final_state(transition: Transition) -> None:
    assert transition.sources
    assert not transition.sources & FINAL


@pytest.mark.parametrize("state", sorted(UNFINAL))
def test_every_other_state_has_a_way_to_an_end(state: State) -> None:
    assert reachable_from(state) & FINAL


@pytest.mark.parametrize("state", sorted(UNFINAL))
def test_every_other_state_can_be_aborted(state: State) -> None:
    assert State.ABORTED in reachable_from(state)


def test_every_state_can_be_reached() -> None:
    assert reachable_from(State.SCHEDULED) == set(State)


def test_only_a_claim_starts_a_task() -> None:
    starting = [t for t in TRANSITIONS if t.target in ACTIVE and not t.sources <= ACTIVE]
    assert starting == [lifecycle.CLAIM]


@pytest.mark.parametrize("transition", TRANSITIONS, ids=names(TRANSITIONS))
def test_what_a_worker_says_of_its_attempt_is_fenced(transition: Transition) -> None:
    # What is asked of a running task, from outside, holds whichever attempt is running.
    from_outside = transition in {lifecycle.REQUEST_ABORT, lifecycle.FORCE_ABORT}
    of_what_waits = {lifecycle.CLAIM, lifecycle.SUBSTITUTE}
    by_a_worker = transition in of_what_waits or bool(transition.sources & ACTIVE)
    assert transition.fenced == (by_a_worker and not from_outside)


@pytest.mark.parametrize("transition", TRANSITIONS, ids=names(TRANSITIONS))
def test_an_abort_that_was_asked_for_is_never_forgotten(transition: Transition) -> None:
    if State.ABORTING in transition.sources:
        assert transition.target in FINAL | {State.ABORTING}
