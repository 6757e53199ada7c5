"""`spacelab datalab`: the work of a datalab's author from a terminal, as a client of a platform's API."""
