"""Executes CWL: steps in sandboxes or containers, events as lines, finished steps never run twice."""
