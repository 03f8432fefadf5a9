"""Types of command-line arguments: argparse shows their errors with the name of the option."""

from argparse import ArgumentTypeError

LAST_PORT = 65_535


def count(text: str) -> int:
    """Read a number of processes, threads or tasks: at least 1."""
    if not (text.isdecimal() and int(text) > 0):
        raise ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def port(text: str) -> int:
    """Read a TCP port."""
    if not (text.isdecimal() and 0 < int(text) <= LAST_PORT):
        raise ArgumentTypeError(f"{text!r} is not a port: use a whole number from 1 to {LAST_PORT}")
    return int(text)
