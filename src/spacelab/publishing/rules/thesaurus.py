"""A thesaurus in memory: concepts with their labels, found as one types."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

MOST_SUGGESTIONS = 20
LONGEST_QUERY = 100


@dataclass(frozen=True)
class Concept:
    """One concept: its IRI, its preferred label, and other labels people know it by."""

    iri: str
    label: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suggestion:
    """A concept that fits what was typed; `matched` is the other label that fitted, or empty."""

    concept: Concept
    matched: str = ""


class Thesaurus:
    """The concepts of one vocabulary, with its title, version and licence as far as it names them."""

    def __init__(self, concepts: Iterable[Concept] = (), title: str = "", version: str = "", licence: str = "") -> None:
        self.concepts = sorted(concepts, key=lambda concept: folded(concept.label))
        self.title = title
        self.version = version
        self.licence = licence
        self._labels: list[tuple[str, str, Concept]] = []
        self._exact: dict[str, Concept] = {}
        for concept in self.concepts:
            self._labels.append((f" {folded(concept.label)}", "", concept))
            self._exact[folded(concept.label)] = concept
        for concept in self.concepts:
            for other in concept.others:
                self._labels.append((f" {folded(other)}", other, concept))
                self._exact.setdefault(folded(other), concept)

    def __len__(self) -> int:
        return len(self.concepts)

    def concept_of(self, label: str) -> Concept | None:
        """Return the concept with this label, preferred or other, whatever its capitals and accents."""
        return self._exact.get(folded(label))

    def suggest(self, text: str, most: int = MOST_SUGGESTIONS) -> list[Suggestion]:
        """Return the concepts with a label that has words beginning with every word typed, each concept once.

        First what is exactly that, then labels that begin so, then those with the words elsewhere; among equals
        preferred labels before others, and short before long.
        """
        query = folded(text[:LONGEST_QUERY])
        if not query:
            return []
        words = [f" {word}" for word in query.split()]
        start = f" {query}"
        ranked = [
            (label != start, not label.startswith(start), bool(other), len(label), label, number)
            for number, (label, other, _) in enumerate(self._labels)
            if all(word in label for word in words)
        ]
        found: dict[str, Suggestion] = {}
        for *_, number in sorted(ranked):
            _, other, concept = self._labels[number]
            found.setdefault(concept.iri, Suggestion(concept, other))
            if len(found) == most:
                break
        return list(found.values())


def folded(text: str) -> str:
    """Return a text without capitals, accents and signs, its words parted by single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = (letter if letter.isalnum() else " " for letter in plain if not unicodedata.combining(letter))
    return " ".join("".join(kept).split())
