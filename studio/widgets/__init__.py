"""Widgets that several panes and screens share; they know no pane and no screen.

`lists` has tables and menus, `transcripts` the text of episodes, `charts` the curves of a training. Here are the single
lines (`status`, `tab_line`, `notice`, `footer`, `input_line`), the base class `content_lines` of some, and the form
field `choice`. Begin with `content_lines`.
"""
