"""Sandbox: what strangers send is read in a process that may be killed.

worker  a process that reads for the platform; it has little memory and CPU time, no
        secret in its environment, and is replaced when it overruns
lane    the workers for one kind of reading, and who may use how many of them at once
call    one function, which the worker imports, and its arguments
"""

from __future__ import annotations

from hubyard_hub.sandbox.call import Limits
from hubyard_hub.sandbox.lane import Lane

READ = Lane("reading", Limits(cpu_s=20, memory_bytes=400 * 2**20), workers=3)
"""For uploads, notebooks and pipelines: a person waits for it."""
COMPARE = Lane(
    "comparing", Limits(cpu_s=30, memory_bytes=400 * 2**20), workers=1, per_person=1
)
"""For two sources of half a gigabyte each: apart, so that no upload waits for it."""
LANES = (READ, COMPARE)

__all__ = ["COMPARE", "LANES", "READ", "Lane", "Limits"]
