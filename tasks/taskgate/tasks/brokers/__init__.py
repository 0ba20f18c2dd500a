"""The message brokers: connecting, publishing, and transports of our own."""
