"""What a call goes through, from its bytes to its answer."""
