"""The terminal program: shows project and run folders, and sends commands to the jobs of runs.

It loads no model, and the engine never imports it. Packages, from the lowest: `terminal` (output and safe text),
`actions` (keys and commands), `runs`, `episodes` and `files` (what is shown, read from disk), `widgets`, `panes` and
`screens`. `app` puts them together; `web` serves it to a browser, and `remote` opens that of another machine. Begin
with `screens.project`.

A key press, `s` for step in the trajectories pane:

1. Textual gives the key to `StudioApp.on_event`; `terminal.typeahead` forwards it to the focused widget once the key
   before it has finished.
2. Textual looks for a binding in the widget and its ancestors. All bindings come from `actions.action_table`; this one
   is in the pane's context, so Textual calls `TrajectoriesPane.action_step`.
3. `check_obstacle` asks the pane whether the action is possible now. If not, the reason is shown and nothing else
   happens.
4. The pane passes a `Command` to `ProjectScreen.send`, which shows that it is sent. A thread gives it to
   `actions.run_command.deliver`, which sends it through the run's socket and shows the reply.
5. The job logs the command and then the answer. `runs.follow` polls the log, folds the new events into the run's state
   and posts `RunChanged`.
6. `ProjectScreen` updates the status line, the pane in sight and the footer. Widgets redraw only the lines that
   changed, `terminal.redraw` limits how often, and `terminal.driver` sends only the changed cells.
"""
