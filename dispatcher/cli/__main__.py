"""``python -m dispatcher.cli``: the command ``omroeper``, for whoever has Python and not the PATH."""

from dispatcher.cli import main

main()
