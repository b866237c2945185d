"""Reasons why something cannot be done with an episode now, and why a list of episodes is empty."""

from __future__ import annotations

from autoact.registry.roles import WORLD
from autoact.run.process.health import ENDED
from autoact.run.record.origins import WITHOUT_MODEL, explain_absence
from autoact.run.record.state import RunState
from studio.episodes.episode_list import COLOURS, EpisodeList
from studio.panes.episode_reader import EpisodeReader
from studio.runs.follow import Follow
from studio.runs.progress import missing_reason
from studio.runs.run_list import ALIVE


def episode_obstacle(action: str, reader: EpisodeReader, episodes: EpisodeList, follow: Follow) -> str:
    """Returns why an action on the episode that is read is impossible; empty if it is possible, or about something
    else."""
    alive, unit, answer, maker = follow.verdict in ALIVE, reader.unit(), reader.answer(), reader.maker()
    match action:
        case "prompt" | "edit" | "fork" if answer is None and (why := explain_absence(follow.state, unit)):
            return f"There is no {'prompt' if action == 'prompt' else f'answer to {action}'}: the trajectory was {why}."
        case "edit" | "fork" | "retry" if maker is not None and maker != follow.folder:
            return f"This trajectory was carried over from {maker.name}; {action} it there."
        case "hold" | "hold_run" if not alive or follow.state.status in ENDED:  # a process that logs judgements
            return "This run has no job."
        case "step" if not alive or unit not in follow.state.lanes.units:
            return "Only an episode in flight can be stepped."
        case "edit" | "fork" if answer is None:
            return f"There is no answer to {action}."
        case "prompt" if answer is None or answer.role == WORLD:
            return "Only an answer of the model has a prompt."
        case "edit" | "retry" if not alive or not any(map(episodes.is_of_current_stage, episodes.taken(unit, action))):
            return "The stage of this episode is not running; fork it instead."
        case "fork" if follow.state.stage and not episodes.is_of_current_stage(unit):
            return "The run is at another stage: only episodes of that stage can be forked now."
        case "undo" if not episodes.undo:
            return "Nothing was changed here yet."
        case "mark" | "mark_all" | "export" | "sort" if not unit:
            return "There is no episode."
        case "filter" if not episodes.has_episodes:
            return "There is no episode."
    return ""


def describe_maker(state: RunState, unit: str) -> str:
    """Returns how an ended trajectory was made in words, if the model did not write it; else an empty text."""
    return WITHOUT_MODEL.get(trajectory.made, "") if (trajectory := state.trajectories.get(unit)) else ""


def empty_reason(episodes: EpisodeList, follow: Follow) -> str:
    """Returns the text for an empty list: why it is empty, and what fills it."""
    if (state := episodes.filter.state) and not any(name.replace(" ", "").startswith(state) for name in COLOURS):
        return f"There is no state `{state}`; expected one of {', '.join(COLOURS)}."
    if episodes.has_episodes:
        return "Nothing matches the filter; esc shows all."
    if not follow.name:
        return "No runs yet: R starts one."
    stage = "group_planning" if follow.state.stage == "group_planning" else "synthesis"
    return missing_reason(follow.state, stage, "trajectories", alive=follow.verdict in ALIVE)
