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
    reviews: str
    """The namespace of its reviews' addresses."""
    next: Mapping[State, str]
    """The state → what its author does next; empty where nothing is left to do."""
    tabs: tuple[tuple[str, str, str], ...]
    """The authoring pages of a version in their order: name, title, and route; one without a route is not shown."""
    home_tabs: Mapping[State, str]
    """The state → the tab that matters most then; History for the others."""
    evidence: Mapping[str, str]
    """The kinds of evidence → what they are called."""
    words: Mapping[State, str] = field(default_factory=dict)
    """What states are called here, where that differs."""

    @property
    def naming(self) -> str:
        """The term that holds an entry's short name."""
        return "displayName" if self.kind is Kind.PIPELINE else "alternateName"

    @property
    def frame(self) -> str:
        """The template around every tab of its authoring pages."""
        return f"{self.namespace}/authoring.html"

    def route(self, page: str) -> str:
        """Return the name of one of its addresses."""
        return f"{self.namespace}:{page}"

    def words_of(self, state: State) -> str:
        """Return a state as people read it."""
        return self.words.get(state, state.words)
