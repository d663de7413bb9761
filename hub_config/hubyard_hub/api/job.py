"""Routes for workloads: their own token says which one asks, and for what job."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import FileResponse, Response
from starlette.concurrency import run_in_threadpool

from hubyard.contract.app import AppJob
from hubyard.contract.deployment import DeploymentJob
from hubyard.contract.errors import Invalid
from hubyard.contract.identity import Identity
from hubyard.contract.layout import NOTEBOOK, PACKED_OUTPUTS, REPORT
from hubyard.contract.run import ReuseRequest, RunJob, RunRecord, StepRecord
from hubyard.contract.usage import ActivityReport
from hubyard.contract.workload import Kind
from hubyard_hub.api.access import RunItself, Workload, workload, workloads
from hubyard_hub.api.nouns import Asked, Nouns
from hubyard_hub.apps.published import Apps
from hubyard_hub.runs.runs import Runs
from hubyard_hub.serving.deployments import Deployments

router = workloads("job")


def _own_id(identity: Annotated[Identity, Depends(workload)]) -> str:
    own = identity.workload
    return own.id if own else ""


OwnId = Annotated[str, Depends(_own_id)]


def _noun(nouns: Nouns, identity: Identity) -> Runs | Deployments | Apps:
    by_kind = {
        Kind.RUN: nouns.runs,
        Kind.ENDPOINT: nouns.deployments,
        Kind.APP: nouns.apps,
    }
    own = identity.workload
    return by_kind[own.kind if own else Kind.RUN]


@router.get("/job", response_model=RunJob | DeploymentJob | AppJob)
def read_job(asking: Workload, nouns: Asked, own_id: OwnId) -> Response:
    """What the asking workload shall do."""
    job = _noun(nouns, asking).job(asking.name, own_id)
    # Written by the model itself, which knows how a run is told NaN.
    return Response(job.model_dump_json(), media_type="application/json")


@router.get("/job/source", response_class=FileResponse)
def read_job_source(asking: Workload, nouns: Asked, own_id: OwnId) -> FileResponse:
    """The gzipped tar that it works on."""
    path = _noun(nouns, asking).source(asking.name, own_id)
    return FileResponse(path, media_type="application/gzip")


@router.put("/job/record", status_code=204)
def put_record(
    asking: RunItself, nouns: Asked, own_id: OwnId, record: RunRecord
) -> None:
    """Keep a run's record, unless a newer one is kept."""
    nouns.runs.record(asking.name, own_id, record)


@router.put("/job/activity", status_code=204)
def put_job_activity(asking: Workload, nouns: Asked, report: ActivityReport) -> None:
    """Keep what the asking workload has answered, and for how long nobody asked."""
    nouns.workloads.heard(asking.name, asking.server or "", report)


@router.put("/job/steps/{step}/notebook", status_code=204)
async def put_notebook(
    request: Request, asking: RunItself, nouns: Asked, own_id: OwnId, step: str
) -> None:
    """Keep the executed notebook of a step run."""
    await _keep(request, nouns, (asking.name, own_id, step), NOTEBOOK)


@router.put("/job/steps/{step}/report", status_code=204)
async def put_report(
    request: Request, asking: RunItself, nouns: Asked, own_id: OwnId, step: str
) -> None:
    """Keep the executed notebook's HTML."""
    await _keep(request, nouns, (asking.name, own_id, step), REPORT)


@router.put("/job/steps/{step}/outputs", status_code=204)
async def put_outputs(
    request: Request, asking: RunItself, nouns: Asked, own_id: OwnId, step: str
) -> None:
    """Keep what a step run hands over, a gzipped tar."""
    await _keep(request, nouns, (asking.name, own_id, step), PACKED_OUTPUTS)


@router.post("/job/steps/{step}/reuse")
def reuse_step(
    asking: RunItself, nouns: Asked, own_id: OwnId, step: str, request: ReuseRequest
) -> StepRecord:
    """Take a step run over from an earlier run, where the cache has one."""
    return nouns.runs.reuse(asking.name, own_id, step, request)


@router.get("/job/steps/{step}/outputs", response_class=FileResponse)
def read_outputs(
    asking: RunItself, nouns: Asked, own_id: OwnId, step: str
) -> FileResponse:
    """What a step run that is taken over has handed over."""
    path = nouns.runs.output(asking.name, own_id, PACKED_OUTPUTS, step)
    return FileResponse(path, media_type="application/gzip")


async def _keep(
    request: Request, nouns: Nouns, step: tuple[str, str, str], name: str
) -> None:
    with await run_in_threadpool(nouns.runs.receive, *step) as upload:
        async for chunk in request.stream():
            upload.write(chunk)
        if not upload.size:
            raise Invalid("There is nothing in it.")
        await run_in_threadpool(upload.keep_as, name)
