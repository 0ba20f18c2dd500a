"""Log lines: what they look like, and what is kept of those that tasks write."""
