"""What the shared parts know of a kind of published thing: its name, its addresses, who may do what with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spacelab.publishing.rules.lifecycle import State
from spacelab.publishing.rules.term_types import Kind


@dataclass(frozen=True)
class Family:
    """One kind of published thing: datalabs, or pipelines. Every version's class names its own."""

    word: str
    """What people call one of them; stands before its short name where the trail and feedback name it."""
    namespace: str
    """The domain: of its addresses, of its actions in the trail, of its templates."""
    kind: Kind
    """Which metadata terms it has."""
    entry: str
    """The version's column that leads to its entry in the catalogue."""
    author: str
    """The permission to write them."""
    share: str
    """The permission to let named people and teams try them before any review."""
    moderate: str
    archive_any: str
    launch_archived: str
    words: Mapping[State, str] = field(default_factory=dict)
    """What states are called here, where that differs."""

    def words_of(self, state: State) -> str:
        """Return a state as people read it."""
        return self.words.get(state, state.words)
