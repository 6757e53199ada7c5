"""The review queue, what a moderator sees of a version, and her decisions."""
