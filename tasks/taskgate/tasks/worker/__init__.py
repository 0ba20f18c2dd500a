"""What a worker's main process does beside Celery's own work."""
