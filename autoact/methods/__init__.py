"""Ways to answer a question, one script each; `autoact.registry.methods` lists them.

A method is a function (unit, question, MethodSettings) that returns a script, which ends with a Trajectory. Stages find
methods through the table; `synthesis` and `validation` import the episode directly. Begin with `settings`, then
`episode`.
"""
