"""Plays stages: serves the requests of many episodes at once, and obeys people's commands between two replies.

`conductor` plays rounds of units and logs their replies; `steering` carries out commands; `tool_calls` and `training`
serve tools and trainings; `world` is the interface of engine, trainer and environments. Only `autoact.job` and tests
import this package; stages do not. Begin with `conductor`.
"""
