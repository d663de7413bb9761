"""Routes of sources."""

from typing import Annotated

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool

from hubyard.contract.source import (
    SOURCE_LIMIT_BYTES,
    Comparison,
    NotebookSource,
    Source,
)
from hubyard_hub.api.access import Person, people
from hubyard_hub.api.nouns import Asked

router = people("sources")


@router.post("/sources")
async def add_source(
    request: Request,
    asking: Person,
    nouns: Asked,
    notebook: Annotated[str | None, Query(min_length=1, max_length=512)] = None,
) -> NotebookSource | Source:
    """Keep a gzipped tar; with `notebook`, read the parameters of that file of it."""
    parts = nouns.parts
    parts.disk.check()
    with parts.blobs.receive(SOURCE_LIMIT_BYTES) as upload:
        async for chunk in request.stream():
            upload.write(chunk)
        return await run_in_threadpool(parts.sources.add, asking.name, upload, notebook)


@router.get("/sources/{before}/diff/{after}")
def compare_sources(
    asking: Person, nouns: Asked, before: str, after: str
) -> Comparison:
    """Which files are not alike in two sources of the caller's, and how."""
    return nouns.parts.sources.compare(asking.name, before, after)
