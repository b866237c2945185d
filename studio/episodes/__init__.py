"""Episodes as panes show them: the list, the answers of one unit, sessions, and the documents of transcripts.

Everything is read from logs through `autoact.run`. The tables and transcripts of `studio.panes` and
`studio.widgets.transcripts` use it; it knows no pane. Begin with `document`, then `transcript_feed`, which keeps one
up to date from `episode_log`. `episode_list` and `episode_order` are the list; `session` is the group pane's data.
"""
