"""The job: the process of a run, which loads the model and plays the run's stages.

job.py is the process; pipeline.py makes the stages; open_world.py loads the model and opens the tools.
The keeper starts it as `python -m autoact.job.job`. The studio starts `python -m autoact.job.judgements` for a run
without a job. Commands import inputs.py, base_run.py, answer_config.py, past_ask.py and judgements.py, and the studio
imports none of it. Begin with job.py.
"""
