"""Style and script of the report's page."""
