import hashlib
from typing import cast

from .client import Client
from .refused import Refused
from .schema import Artifact


def download(client: Client, artifact_id: str) -> bytes:
    """Downloads an artifact and verifies its SHA-256, so that what is returned is what the step saved.

    The whole content is held in memory. Raises `Refused` when there is no such artifact, and `ValueError` when the bytes are not its.
    """
    artifact = cast(Artifact, client.get(f"/api/artifacts/{artifact_id}"))
    content = Refused.check(client.http.get(f"/api/artifacts/{artifact_id}/content")).content
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if digest != artifact["hash"]:
        raise ValueError(f"artifact {artifact_id} has the digest {artifact['hash']}; what was downloaded has {digest}")
    return content
