"""The log: one JSON object a line on stderr, whoever in the process writes it."""

import json
import logging
import sys
import time

REQUESTS = "spokesmith.server.requests"
NAMES = ("spokesmith.server", "uvicorn", "uvicorn.error")


class JsonFormatter(logging.Formatter):
    """Makes lines. Those about requests are JSON already, those of others are wrapped."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.name == REQUESTS and record.levelno == logging.INFO:
            return message
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logs() -> None:
    """Send the server's lines to stderr; uvicorn's own from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name in NAMES:
        logger = logging.getLogger(name)
        logger.handlers = [handler] if "." not in name or name == "spokesmith.server" else []
        logger.propagate = name == "uvicorn.error"
        logger.setLevel(logging.INFO if name == "spokesmith.server" else logging.WARNING)
