"""What keeps an installation from starting, said in one sentence with its remedy."""

from __future__ import annotations


class CannotStart(Exception):
    """Something on this machine has to change first. ``str()`` is for the person at the terminal.

    ``exit_code`` is 2 where what was asked for is wrong (an option, a variable), 1 where the machine is not as needed.
    """

    def __init__(self, sentence: str, *, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
