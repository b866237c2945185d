"""AutoAct as an engine: trains question-answering agents from a task, a few examples and a tool library.

`autoact.project.project` opens a project, `autoact.job.job` plays the stages over it, `autoact.episode` is the loop
itself.
Nothing is imported here, so that the command line stays quick.
"""

__version__ = "0.1.0"
