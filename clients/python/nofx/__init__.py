"""A typed client of the NOFX API: `Client` for every route, and what a route alone does not do."""

from .client import Client
from .download import download
from .refused import Refused
from .stream import stream
from .submit import submit
from .wait import wait
from .webhook import InvalidWebhook, verify_webhook

__all__ = ["Client", "InvalidWebhook", "Refused", "download", "stream", "submit", "verify_webhook", "wait"]
