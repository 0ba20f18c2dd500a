"""The record: what a task is, which transitions it can make, and the statements that make them."""
