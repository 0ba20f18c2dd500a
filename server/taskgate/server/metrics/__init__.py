"""What Prometheus asks for: what is going on, and what this process does."""
