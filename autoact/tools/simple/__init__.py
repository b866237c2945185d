"""Built-in tools of one file each: Calculator, Compare, CodeInterpreter and TableVerbalizer.

The catalogue of the library imports them. `calculator.py` evaluates arithmetic, `code_interpreter.py` runs Python
programs in the sandbox, `table_verbalizer.py` turns tables into sentences. Begin with `calculator.py`, the shortest
example of a tool: a record, a function, checks and a group.
"""
