"""The record as protobuf messages."""
