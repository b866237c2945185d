"""Keys and the commands behind them.

`action_table` lists every action once, with its key; the bindings, the footer, the help and the command palette are
made from it. `keymap` reads a person's own keys. `run_command` sends a command to a run's job, `cli_command` runs an
`autoact` command as a process. It knows no widget; widgets, panes and screens import it. Begin with `action_table`.
"""
