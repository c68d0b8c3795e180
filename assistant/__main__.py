"""`python -m assistant` is `deskmate`."""

from assistant.cli import main

main()
