"""A screen with the exact prompt of one turn: settings, adapter, text, tokens, and what might have been written."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

from autoact.run.record.folder import RunFolder
from studio.actions import action_table
from studio.actions.cli_command import autoact
from studio.actions.remote_machine import CliResult
from studio.episodes.document import Document, Paragraph
from studio.episodes.transcript_feed import update_document
from studio.terminal import untrusted_text
from studio.widgets.footer import Footer
from studio.widgets.transcripts.transcript import Transcript

PENDING = {
    "": "playing the episode again up to this turn ...", "--tokens": "loading the tokenizer ...",
    "--alternatives": "loading the model, which takes a while ...",
}  # fmt: skip
"""The text shown while `autoact prompt` runs, by the option that was added last."""


class PromptScreen(ModalScreen[None]):
    """Shows the paragraphs that `autoact prompt` prints: first the text, then the tokens, which need the tokenizer."""

    DEFAULT_CSS = """
    PromptScreen { background: $background; color: $foreground; }
    PromptScreen #title { height: 1; background: $panel; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    PromptScreen Transcript { height: 1fr; }
    """
    CONTEXTS: tuple[action_table.Context, ...] = ("prompt",)
    BINDINGS = action_table.modal_bindings("prompt")

    def __init__(self, folder: RunFolder, unit: str, n: int):
        super().__init__()
        self._folder, self._unit, self._n = folder, unit, n
        self._shown: list[Paragraph] = []
        self._options: tuple[str, ...] = ()
        self._pending = ""
        """The option for which the command runs now."""

    def compose(self) -> ComposeResult:
        title = f"Prompt of answer {self._n} of {self._unit} in {self._folder.name}"
        yield Static(untrusted_text.content(title), id="title")
        yield Transcript(folds=("cached",), paged=False)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(Transcript).show(Document(), end=False)
        self.run_worker(self._read(), group="prompt")

    def obstacle(self, action: str) -> str:
        if action == "alternatives" and "--alternatives" in self._options:
            return "The alternatives are shown."
        if action == "alternatives" and self._pending:
            return "Wait until the prompt is complete, then press a."
        return ""

    @action_table.check_obstacle
    def action_alternatives(self) -> None:
        self.run_worker(self._add("--alternatives"), group="prompt")

    def action_close(self) -> None:
        self.dismiss()

    def notice(self, text: str) -> None:
        """Shows a text below the paragraphs; it may be untrusted."""
        self._draw([*(one for one in self._shown if one.part != "note"), Paragraph("", "note", text)])

    def update_footer(self) -> None:
        """Updates the keys in the footer."""
        self.query_one(Footer).refresh_keys()

    async def _read(self) -> None:
        """Shows the text, then the tokens too."""
        if await self._add(""):
            await self._add("--tokens")

    async def _add(self, option: str) -> bool:
        """Shows what the command prints with one more option; returns whether it could."""
        self._pending = option or "text"
        before = [one for one in self._shown if one.part != "note"]
        self._draw([*before, Paragraph("", "note", PENDING[option])])
        options = (*self._options, option) if option else self._options
        words = str(self._folder.path), self._unit, str(self._n)
        result = await autoact("prompt", *words, options=("--json", *options))
        self._pending = ""
        found = read_paragraphs(result)
        if found:
            self._options = options
        self._draw(found or [*before, Paragraph("", "note", result.reason)])
        self.update_footer()
        return bool(found)

    def _draw(self, now: list[Paragraph]) -> None:
        view = self.query_one(Transcript)
        update_document(view.document, self._shown, now)
        self._shown = now
        view.following = False
        view.draw()


def read_paragraphs(result: CliResult) -> list[Paragraph]:
    """Returns the paragraphs that `autoact prompt --json` printed; none if it failed."""
    data = result.data if result.code == 0 else None
    rows = data.get("paragraphs", []) if isinstance(data, dict) else []
    return [Paragraph("", str(row["part"]), str(row["text"])) for row in rows]
