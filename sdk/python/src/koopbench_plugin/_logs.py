"""Logging as the host reads it: a line of JSON on standard error for each record, in the form of hashicorp/go-hclog."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone

MAX_MESSAGE = 60_000
"""The bytes of JSON that a message may become. The host takes lines of up to 64 KiB."""


class HclogFormatter(logging.Formatter):
    """Formats records as hclog's JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        message = _cut(super().format(record))
        time = datetime.fromtimestamp(record.created, timezone.utc)
        return json.dumps(
            {
                "@level": _level(record.levelno),
                "@message": message,
                "@module": record.name,
                "@timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            }
        )


def _cut(message: str) -> str:
    if len(json.dumps(message)) <= MAX_MESSAGE:
        return message
    while (size := len(json.dumps(message))) > MAX_MESSAGE:
        message = message[: len(message) * MAX_MESSAGE // (size + 1)]
    return message + " … (cut)"


def _level(number: int) -> str:
    for least, level in ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info")):
        if number >= least:
            return level
    return "debug"


def configure() -> None:
    """Sends records of level INFO and above, and warnings, to standard error, unless the author has set up logging."""
    logging.captureWarnings(True)
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(HclogFormatter())
    root.addHandler(handler)
    if root.level == logging.WARNING:  # Python's default
        root.setLevel(logging.INFO)
