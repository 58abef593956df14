"""The section of classification: what the report says about classes, beside the scores."""
