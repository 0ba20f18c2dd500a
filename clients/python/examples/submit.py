"""Submit `demo.add`, wait for it, and print its result: ``submit.py [ADDRESS]``."""

from __future__ import annotations

import sys

from taskgate.client import Client


def main() -> None:
    """Add two numbers somewhere else."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
    with Client(address) as client:
        print(client.submit("demo.add", [2, 3]).result(timeout=30))


if __name__ == "__main__":
    main()
