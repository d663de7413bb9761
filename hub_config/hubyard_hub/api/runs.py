"""Routes of runs, for the people who own them."""

from fastapi.responses import FileResponse, RedirectResponse, Response

from hubyard.contract.compute import Estimate
from hubyard.contract.layout import NOTEBOOK, REPORT
from hubyard.contract.run import ResumeRequest, Run, RunDetail, RunRequest
from hubyard_hub.api.access import Person, people
from hubyard_hub.api.nouns import Asked
from hubyard_hub.workloads.logs import log_answer

router = people("runs")


@router.post("/runs", status_code=201)
def create_run(asking: Person, nouns: Asked, wish: RunRequest) -> Run:
    """Run a notebook, a script or a pipeline once, now."""
    return nouns.runs.create(asking, wish)


@router.post("/runs/preview")
def preview_run(asking: Person, nouns: Asked, wish: RunRequest) -> Estimate:
    """What a run would cost at most; refused where the run would be."""
    return nouns.runs.preview(asking, wish)


@router.get("/runs")
def list_runs(asking: Person, nouns: Asked, schedule: str | None = None) -> list[Run]:
    """Runs that have not ended, then the newest hundred that have."""
    return nouns.runs.list(asking.name, schedule)


@router.get("/runs/{run_id}")
def read_run(asking: Person, nouns: Asked, run_id: str) -> RunDetail:
    """One run with its step runs and their cells."""
    return nouns.runs.get(asking.name, run_id)


@router.post("/runs/{run_id}/stop")
def stop_run(asking: Person, nouns: Asked, run_id: str) -> Run:
    """End a run."""
    return nouns.runs.stop(asking.name, run_id)


@router.post("/runs/{run_id}/resume", status_code=201)
def resume_run(asking: Person, nouns: Asked, run_id: str, wish: ResumeRequest) -> Run:
    """Run again what failed and what follows it; the rest is taken over."""
    return nouns.runs.resume(asking, run_id, wish)


@router.delete("/runs/{run_id}", status_code=204)
def delete_run(asking: Person, nouns: Asked, run_id: str) -> None:
    """Forget a run that has ended."""
    nouns.runs.remove(asking.name, run_id)


@router.get("/runs/{run_id}/notebook", response_class=FileResponse)
def read_run_notebook(
    asking: Person, nouns: Asked, run_id: str, step: str | None = None
) -> FileResponse:
    """The executed notebook of a step run; of the failed one, if of none."""
    path = nouns.runs.output(asking.name, run_id, NOTEBOOK, step)
    return FileResponse(path, media_type="application/x-ipynb+json")


@router.get("/runs/{run_id}/report", response_class=FileResponse)
def read_run_report(
    asking: Person, nouns: Asked, run_id: str, step: str | None = None
) -> FileResponse:
    """The executed notebook as HTML; its scripts do not run."""
    path = nouns.runs.output(asking.name, run_id, REPORT, step)
    return FileResponse(path, media_type="text/html")


@router.get("/runs/{run_id}/failure", response_class=RedirectResponse)
def read_run_failure(asking: Person, nouns: Asked, run_id: str) -> RedirectResponse:
    """Where a notice leads: to the failed cell; without a report, to the Lab."""
    has_report = nouns.runs.get(asking.name, run_id).has_report
    report = f"/services/hubyard/api/runs/{run_id}/report#failed"
    place = report if has_report else "/hub/user-redirect/lab"
    return RedirectResponse(nouns.parts.settings.public_url + place)


@router.get("/runs/{run_id}/log", response_class=Response)
def read_run_log(asking: Person, nouns: Asked, run_id: str) -> Response:
    """What the run has printed."""
    return log_answer(nouns.parts, nouns.runs.row(asking.name, run_id))
