"""What the command prints: tasks, tables, progress bars, JSON."""
