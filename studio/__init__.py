"""The terminal app. It reads what runs write and sends commands; it loads no model."""
