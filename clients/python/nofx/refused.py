from typing import cast

import httpx

from .schema import Problem


class Refused(Exception):
    """The API refused a request. `problem["type"]` says why, `problem["detail"]` what to do."""

    def __init__(self, status: int, problem: Problem | None) -> None:
        self.status = status
        self.problem = problem
        faults = problem.get("errors", []) if problem else []
        lines = [problem["title"], problem["detail"]] if problem else [f"HTTP {status}"]
        super().__init__("\n".join(lines + [f"{fault['pointer'] or '/'}: {fault['detail']}" for fault in faults]))

    @staticmethod
    def check(response: httpx.Response) -> httpx.Response:
        """Raises when a response, which was read, is a refusal."""
        if response.is_success:
            return response
        # Something between the client and the API may have made the response.
        is_problem = response.headers.get("content-type", "").startswith("application/problem+json")
        raise Refused(response.status_code, cast(Problem, response.json()) if is_problem else None)
