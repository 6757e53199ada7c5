"""Every write to the catalogue of pipelines and steps."""

from spacelab.audit.actions import System
from spacelab.pipelines.actions.installing import install_folder, offer_software
from spacelab.pipelines.actions.saving import create, save

SYSTEM = System("pipelines")

__all__ = ["SYSTEM", "create", "install_folder", "offer_software", "save"]
