"""Widgets for the training of a sub-agent: loss curves drawn as braille dots, and figures in text.

They read `studio.runs` and know no pane. Only the training pane uses them. Begin with `plot`, the widget;
`braille` turns columns of numbers into dots.
"""
