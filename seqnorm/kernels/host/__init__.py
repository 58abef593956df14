"""What surrounds the compiled loops: memory, shares, threads; a binding for each backend."""
