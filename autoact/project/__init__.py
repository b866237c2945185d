"""A project: its folder, settings, presets, templates and questions."""
