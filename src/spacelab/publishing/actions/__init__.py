"""Writes that all published things share."""

from spacelab.publishing.actions.keeping import keep
from spacelab.publishing.actions.life import Life
from spacelab.publishing.actions.moving import move
from spacelab.publishing.actions.vocabularies import load_thesaurus, remove_thesaurus

__all__ = ["Life", "keep", "load_thesaurus", "move", "remove_thesaurus"]
