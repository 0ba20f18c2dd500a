"""What a server does beside its calls, in threads and loops of its own."""
