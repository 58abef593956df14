"""Pure tensor functions: masks, moments and the loop. Nothing here knows layers or config."""
