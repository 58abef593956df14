"""What a comparison came to, small enough to keep."""
