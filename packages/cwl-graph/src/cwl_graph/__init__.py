"""Reads CWL documents as graphs, checks them, and edits their text without losing a byte."""
