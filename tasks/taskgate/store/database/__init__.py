"""The database beneath the record: connecting, transactions, types, time, the schema's version."""
