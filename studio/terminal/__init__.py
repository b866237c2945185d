"""The terminal: output, colours, signs, clipboard, and safe text for widgets.

It imports Textual and small modules of autoact, nothing else of the studio; every other package may import it.
Begin with `untrusted_text`, which every widget uses, then `driver` and `screen_cells`, which send only changed cells.
`redraw` limits how often widgets draw, and `typeahead` keeps fast keys in order.
"""
