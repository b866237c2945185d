"""A project: the folder that a person curates.

project.py reads one and makes one from a template; config.py has the settings, config_file.py reads them, presets/ has
their presets; questions.py reads questions and examples in several formats; folders.py duplicates, renames and archives
projects. Commands, jobs and the studio import all of it, stages and training only config.py, tools only
questions.py and benchmarks.py.
Begin with project.py.
"""
