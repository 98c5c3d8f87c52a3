from types import TracebackType
from typing import Any, Self

import httpx

from .refused import Refused


class Client:
    """A connection to the API. `nofx.schema` has the types of everything that it takes and returns."""

    def __init__(self, url: str, token: str, *, timeout_s: float = 30) -> None:
        """`url` is where the API is, without `/api`; `token` a token of Supabase Auth or an API key."""
        # The redirect to an artifact's content leads to Storage; httpx sends it no credential.
        self.http = httpx.Client(
            base_url=url.rstrip("/"), headers={"Authorization": f"Bearer {token}"}, timeout=timeout_s, follow_redirects=True
        )

    def get(self, path: str, **params: Any) -> Any:
        """The result of `GET /api/…` as JSON. Raises `Refused`, or `httpx.TransportError` when the API cannot be reached."""
        return Refused.check(self.http.get(path, params=params)).json()

    def post(self, path: str, body: Any = None) -> Any:
        """The result of `POST /api/…` as JSON, None when it has none. Raises as `get` does."""
        response = Refused.check(self.http.post(path, json=body))
        return response.json() if response.content else None

    def close(self) -> None:
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
