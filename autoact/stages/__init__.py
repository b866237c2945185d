"""The paper's stages, in order. Each is a generator of rounds of units and of the events its decisions become."""

SELF_INSTRUCT = "self_instruct"
TOOL_SELECTION = "tool_selection"
SYNTHESIS = "synthesis"
FILTERING = "filtering"
DIFFERENTIATION = "differentiation"
GROUP_PLANNING = "group_planning"

SESSION = "session"
"""Not of the pipeline: questions as a person asks them."""

PIPELINE = (SELF_INSTRUCT, TOOL_SELECTION, SYNTHESIS, FILTERING, DIFFERENTIATION, GROUP_PLANNING)

TITLES = {
    SELF_INSTRUCT: "self-instruct",
    TOOL_SELECTION: "tool selection",
    SYNTHESIS: "trajectory synthesis",
    FILTERING: "filtering",
    DIFFERENTIATION: "self-differentiation",
    GROUP_PLANNING: "group planning",
    SESSION: "session",
}
