"""The dashboard: what is going on, in a browser. Needs the extra ``taskgate[web]``.

It asks and acts through the functions that answer the gRPC calls (``calls.py``), never by a way of
its own into the record: what is refused there is refused here, in the same words.
"""
