"""`python -m spacelab`: the same as the `spacelab` command."""

from spacelab.site.command import main

main()
