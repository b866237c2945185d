"""The digests of what a run reads: equal for equal content, another for every change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from autoact.job.digests import SAMPLE, read_digests, weight_digests
from autoact.job.inputs import open_library
from autoact.project.config import Config, Model
from autoact.project.project import Project, create


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)
    made = create(tmp_path / "p", "blank")
    (made.root / "tools.toml").write_text('[[tool]]\nname = "Retrieve"\n')
    (made.root / "corpus" / "a.jsonl").write_text('{"title": "Peru", "text": "A country."}\n')
    return made


def digests(project: Project) -> dict[str, str]:
    library, corpus = open_library(project)
    found = read_digests(library, corpus)
    corpus.close()
    return found


def changed(project: Project, change: Callable[[Path], object]) -> list[str]:
    """The names of the digests that a change to the project's folder changes."""
    before = digests(project)
    change(project.root)
    after = digests(project)
    return [name for name in before if before[name] != after[name]]


def test_a_change_of_content_changes_its_digest_alone(project: Project) -> None:
    tools, pages = project.root / "tools.toml", project.root / "corpus" / "a.jsonl"
    assert set(digests(project)) == {"corpus", "tools", "prompts"}
    assert changed(project, lambda _: pages.rename(pages.with_name("b.jsonl"))) == []
    more = project.root / "corpus" / "Ghana.txt"
    assert changed(project, lambda _: more.write_text("Another country.")) == ["corpus"]
    assert changed(project, lambda _: more.unlink()) == ["corpus"]
    assert changed(project, lambda _: tools.write_text('[[tool]]\nname = "Lookup"\n[[tool]]\nname = "Retrieve"\n')) == [
        "tools"
    ]


def test_weights_are_told_apart_by_samples(tmp_path: Path) -> None:
    weights, config = tmp_path / "model.safetensors", Config(model=Model(id=str(tmp_path)))
    (tmp_path / "config.json").write_text("{}")
    weights.write_bytes(bytes(200 * SAMPLE))
    first = weight_digests(config)
    assert weight_digests(config) == first
    for place in (0, 200 * SAMPLE - 1):  # both ends are read; all of a small file is
        weights.write_bytes(bytes(place) + b"x" + bytes(200 * SAMPLE - place - 1))
        assert weight_digests(config) != first
    weights.write_bytes(bytes(10))
    assert weight_digests(config) != first
    assert weight_digests(Config(model=Model(engine="server"))) == {}
