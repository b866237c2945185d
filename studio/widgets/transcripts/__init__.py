"""Widgets that show the text of episodes: one transcript, two side by side, and one for each lane.

They draw documents of `studio.episodes` and know no pane. Begin with `transcript`, which draws only the lines in sight
of a document of any length.
"""
