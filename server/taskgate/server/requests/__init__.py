"""From a request to a task that may be recorded."""
