"""Logging as the host reads it: a line of JSON on standard error for each record, in the form of hashicorp/go-hclog."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone

MAX_MESSAGE = 1 << 14
"""The host takes lines of up to 64 KiB; a character becomes up to 12 bytes of JSON, few do."""


class HclogFormatter(logging.Formatter):
    """Formats records as hclog's JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        message = super().format(record)
        if len(message) > MAX_MESSAGE:
            message = message[:MAX_MESSAGE] + " … (cut)"
        time = datetime.fromtimestamp(record.created, timezone.utc)
        return json.dumps(
            {
                "@level": _level(record.levelno),
                "@message": message,
                "@module": record.name,
                "@timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            }
        )


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
