"""What the child process does to itself before it runs a program.

It starts without autoact, so it imports none of it, and little else: each import is time that every program waits.
"""
