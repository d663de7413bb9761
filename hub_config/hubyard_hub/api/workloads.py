"""What runs now, and how it is given more time."""

from hubyard.contract.errors import NotFound
from hubyard.contract.usage import ActivityReport, Usage
from hubyard.contract.workload import ExtensionRequest, Workload
from hubyard_hub.api.access import Person, people
from hubyard_hub.api.nouns import Asked

router = people("workloads")


@router.get("/workloads")
def list_workloads(asking: Person, nouns: Asked) -> list[Workload]:
    """What is running and costing now."""
    return nouns.workloads.list(asking)


@router.get("/workloads/self")
def read_own_workload(asking: Person, nouns: Asked) -> Workload:
    """The workload whose token asks."""
    if asking.server is None:
        raise NotFound("This token is not a workload's.")
    return nouns.workloads.of_server(asking, asking.server)


@router.put("/workloads/self/activity", status_code=204)
def put_own_activity(asking: Person, nouns: Asked, report: ActivityReport) -> None:
    """Keep for how long nothing has happened in the workload whose token asks."""
    if asking.server is None:
        raise NotFound("This token is not a workload's.")
    nouns.workloads.heard(asking.name, asking.server, report)


@router.post("/workloads/{entry_id}/extend")
def extend_workload(
    asking: Person, nouns: Asked, entry_id: str, wish: ExtensionRequest
) -> Workload:
    """Let a running workload run longer."""
    return nouns.workloads.extend(asking, entry_id, wish.seconds)


@router.get("/workloads/{entry_id}/usage")
def read_usage(asking: Person, nouns: Asked, entry_id: str) -> Usage:
    """What a workload has used of what it is paid for."""
    return nouns.workloads.usage(asking, entry_id)
