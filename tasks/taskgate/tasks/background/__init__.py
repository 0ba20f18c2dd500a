"""What servers and workers do beside their own work: publish what is due, rescue what is lost."""
