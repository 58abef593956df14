"""How each backend takes a step: `fit`, `gradient`, `forward`, `products`."""
