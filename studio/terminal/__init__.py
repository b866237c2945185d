"""The terminal: drawing cells, colours, signs, clipboard, and making text of others safe."""
