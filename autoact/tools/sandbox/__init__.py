"""The sandbox that programs written by a model run in: what holds them, what they may take, what came of them."""
