"""Says in plain words why a text is no YAML."""

from __future__ import annotations

_WORDS = (
    ("'\\t' that cannot start", "A tab stands where YAML wants spaces.", "Indent with spaces."),
    ("tab character", "A tab stands where YAML wants spaces.", "Indent with spaces."),
    ("that cannot start any token", "A character stands here that can't begin a value.", "Put the text in quotes."),
    (
        "mapping values are not allowed",
        "A colon is not expected here.",
        "Put text that holds a colon in quotes, or check that this line is indented like its neighbours.",
    ),
    ("could not find expected ':'", "A name without its colon.", "Write `name: value`; a space follows the colon."),
    ("did not find expected '-' indicator", "This line doesn't belong to the list above it.", "Check its indentation."),
    ("did not find expected key", "This line doesn't fit the lines above it.", "Check its indentation and quotes."),
    ("did not find expected ',' or", "A comma or the closing bracket is missing.", "Close what was opened before."),
    ("unexpected end of stream", "A quote or a bracket is opened and never closed.", "Close it."),
    ("unexpected document indicator", "A quote is opened and never closed.", "Close it."),
    ("undefined alias", "An alias (`*name`) whose anchor (`&name`) doesn't stand above it.", "Write the value out."),
    ("found duplicate anchor", "The same anchor (`&name`) stands twice.", "Give each its own name."),
    ("undefined tag handle", "A tag (`!name!`) that nothing explains.", "Take it out, or put the text in quotes."),
    (
        "unknown escape character",
        "A backslash stands before a letter that means nothing.",
        "Write `\\\\` for a backslash.",
    ),
    ("Unicode character escape", "A `\\u` that is no character.", "Write the character itself."),
    ("control characters are not allowed", "A control character stands in the text.", "Take it out."),
    ("special characters are not allowed", "A control character stands in the text.", "Take it out."),
    ("block sequence entries are not allowed", "A list can't begin here.", "Put the `-` on a line of its own."),
    ("chomping or indentation", "Something stands behind `|` or `>`.", "Begin the text on the next line."),
    ("did not find expected node content", "A value is expected here.", "Write it, or take the comma away."),
    ("found unknown", "Something stands here that YAML doesn't know.", "Put the text in quotes."),
)


def in_words(technical: str) -> tuple[str, str]:
    """Return message and advice for a message of the YAML parser."""
    for sign, message, advice in _WORDS:
        if sign in technical:
            return message, advice
    return "This is not YAML.", "Check indentation, quotes and brackets around this line."
