"""Forms of English verbs."""

from __future__ import annotations

BE = ("is", "are", "was", "were")
AUXILIARIES = frozenset((*BE, "do", "does", "did", "can", "could", "has", "have", "had", "will", "would", "should"))
"""First words of a question whose answer is yes or no."""
PAST = {
    "become": "became", "begin": "began", "break": "broke", "bring": "brought", "build": "built", "buy": "bought",
    "come": "came", "draw": "drew", "drink": "drank", "eat": "ate", "fall": "fell", "fight": "fought", "find": "found",
    "fly": "flew", "get": "got", "give": "gave", "go": "went", "grow": "grew", "have": "had", "hold": "held",
    "keep": "kept", "know": "knew", "lead": "led", "leave": "left", "lose": "lost", "make": "made", "mean": "meant",
    "meet": "met", "pay": "paid", "rise": "rose", "run": "ran", "say": "said", "see": "saw", "sell": "sold",
    "send": "sent", "set": "set", "sing": "sang", "sink": "sank", "speak": "spoke", "spend": "spent", "stand": "stood",
    "swim": "swam", "take": "took", "teach": "taught", "tell": "told", "think": "thought", "wear": "wore",
    "win": "won", "write": "wrote",
}  # fmt: skip
"""The past of irregular verbs."""


def inflect(verb: str, auxiliary: str) -> tuple[str, ...]:
    """Returns the forms of a verb in a statement for a question with `did`, `does` or `do`."""
    if auxiliary == "do":
        return (verb,)
    if auxiliary == "does":
        return ("has",) if verb == "have" else (f"{verb}s", f"{verb}es", f"{verb[:-1]}ies")
    return (PAST[verb],) if verb in PAST else (f"{verb}ed", f"{verb}d", f"{verb[:-1]}ied", f"{verb}{verb[-1]}ed")
