"""What may be configured, of which type, and how a command line becomes a configuration."""
