"""Submits a plan, follows it, approves its gate as someone else, waits for its end and downloads what it made."""

from nofx import Client, download, stream, submit, wait
from nofx.schema import CreateRun

PLAN: CreateRun = {
    "plan": {
        "goal": "release",
        "steps": [
            {"name": "build", "tool": "bash", "inputs": {"script": 'echo "version 1" > notes.txt', "artifacts": ["notes.txt"]}},
            {"name": "approve", "tool": "manual:approve", "needs": ["build"]},
        ],
    }
}


def release(author: Client, approver: Client) -> str:
    run = submit(author, PLAN)
    for event in stream(author, run_id=run["id"]):
        print(event["time"], event["type"], event["subject"])
        if event["type"] == "gate.requested":
            break
    for gate in approver.get(f"/api/runs/{run['id']}/gates")["data"]:
        approver.post(f"/api/gates/{gate['id']}/approve", {"reason": "tried it"})
    ended = wait(author, run["id"])
    if ended["status"] != "succeeded":
        raise RuntimeError(f"the run has {ended['status']}: {ended['error']}")
    notes = next(artifact for artifact in ended["artifacts"] if artifact["name"] == "notes.txt")
    return download(author, notes["id"]).decode()
