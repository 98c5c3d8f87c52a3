import random

import httpx

FIRST_S = 0.5
MOST_S = 30.0


def is_temporary(status: int) -> bool:
    """Whether the same request may succeed a moment later."""
    return status == 429 or status >= 500


def delay_s(failures: int, response: httpx.Response | None = None) -> float:
    """How long to wait before attempt `failures` + 1: twice as long each time, spread out so that clients do not come back together."""
    asked = response.headers.get("retry-after", "") if response is not None else ""
    if asked.isdecimal():
        return min(float(asked), 3600.0)
    return min(MOST_S, FIRST_S * 2.0 ** min(failures - 1, 16)) * random.uniform(0.5, 1)
