"""What keys do: the table of actions, key maps, the command palette, and the commands behind them."""
