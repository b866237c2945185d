"""Experiments: a file of axes that expands to cells, the runs that the cells share, a queue, and the table of results.

experiment.py reads the file, cells.py expands it, sharing.py finds the runs that the cells share, journal.py remembers
which run plays which stages, progress.py reads how far they are, queue.py plays them, results.py scores the
cells, paper.py has the tables of the paper, report.py and plots.py make the report.
The commands and the studio import it; it loads no model. Begin with experiment.py.
"""
