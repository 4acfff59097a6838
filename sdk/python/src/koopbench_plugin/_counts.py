"""Counts that are sent to the host."""

from __future__ import annotations

from koopbench_plugin.errors import ContractError

MOST = 2**53
"""The largest count that crosses the wire. Readers of results hold every whole number up to it."""


def count(what: str, value: object) -> int:
    """Returns a count as it is sent, and raises ContractError for a value that is none."""
    try:
        number = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        number = -1
    if number != value or not 0 <= number <= MOST:
        raise ContractError(f"a {what} of {value!r}; it must be a whole number in 0 … {MOST}")
    return int(number)
