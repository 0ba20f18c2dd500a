"""What passes on stock Celery and not here, on purpose; docs/celery.md says more about each."""

from __future__ import annotations

from collections.abc import Mapping

_STARTED = "a task that a worker has claimed is STARTED, without task_track_started too"
_INSPECT = "acknowledged after the run, and of the middle priority, unless configured otherwise"
_NO_CLAIM = "a state that a program writes of a task which no worker has claimed is not recorded"
_STATE_KEPT = "the state of a task is recorded, with ignore_result too"

_KNOWN_FIRST = "a chord's parts are recorded before the first of them starts"
_USED_AGAIN = "only a managed app can use the id of a task that has ended for another one"
_IN_REDIS = "looks for what Celery's Redis backend keeps in Redis"

_NO_SUBSCRIPTION = "results are read from the record: there is nothing to subscribe to"

_OUTER_ENDS = "a chord that waits for one which failed ends too, and tells its errbacks"

_CHORDS = "test_canvas.py::test_chord::"
_ERRBACKS = (
    "test_mutable_errback_called_by_chord_from_chain[errback_old_style]",
    "test_mutable_errback_called_by_chord_from_chain[errback_new_style]",
    "test_mutable_errback_called_by_chord_from_chain_tail[errback_old_style]",
    "test_mutable_errback_called_by_chord_from_chain_tail[errback_new_style]",
    "test_mutable_errback_called_by_chord_from_group[errback_old_style]",
    "test_mutable_errback_called_by_chord_from_group[errback_new_style]",
    "test_mutable_errback_called_by_chord_from_group_fail_multiple_on_body_failure[errback_new_style]",
)

_TASKS = "test_tasks.py::test_tasks::"
_INSPECTS = "test_inspect.py::test_Inspect::"

_ON_REDIS = "test_tasks.py::test_task_redis_result_backend::"

_BOTH = {
    _ON_REDIS + "test_asyncresult_forget_cancels_subscription": _NO_SUBSCRIPTION,
    _ON_REDIS + "test_asyncresult_get_cancels_subscription": _NO_SUBSCRIPTION,
    _CHORDS + "test_chord_on_error": _IN_REDIS,
    _CHORDS + "test_nested_chord_header_link_error": _OUTER_ENDS,
    **{f"{_CHORDS}test_generator[{size}]": _KNOWN_FIRST for size in range(3, 10)},
    _TASKS + "test_revoke_keeps_state_of_task_started_elsewhere[STARTED]": _NO_CLAIM,
    _TASKS + "test_revoke_keeps_state_of_task_started_elsewhere[PROGRESS]": _NO_CLAIM,
    _TASKS + "test_send_task_without_ignore_result_uses_task_ignore_result": _STATE_KEPT,
    _ON_REDIS + "test_retry_preserves_ignore_result_true": _STATE_KEPT,
}

DIFFERENCES: Mapping[str, Mapping[str, str]] = {
    "result backend": {
        **_BOTH,
        _CHORDS + "test_reapplying_frozen_chord_dispatches_body_again": _USED_AGAIN,
        **{
            f"{_CHORDS}test_mutable_errback_called_by_chord_{one}": _USED_AGAIN for one in _ERRBACKS
        },
    },
    "managed": {
        **_BOTH,
        _TASKS + "test_retry": _STARTED,
        _TASKS + "test_retry_with_unpickleable_exception": _STARTED,
        _INSPECTS + "test_active": _INSPECT,
        _INSPECTS + "test_query_task": _INSPECT,
        _INSPECTS + "test_scheduled": _INSPECT,
    },
}
"""By the way of keeping results: the test, and the reason."""

BY_CHANCE = frozenset({_TASKS + "test_retry", _TASKS + "test_retry_with_unpickleable_exception"})
"""They look once, and mind STARTED only if they come upon it: on some days they pass."""
