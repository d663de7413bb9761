"""The environment of a workload: the names of the variables that both sides know.

The spawner sets those of every workload, the runner those of a step run.
"""

from __future__ import annotations

KIND = "HUBYARD_KIND"
"""What it is: a `Kind`."""
ENTRY = "HUBYARD_ENTRY"
"""The ledger entry that pays for it; it marks each of its processes."""
COMPUTE = "HUBYARD_COMPUTE"
"""The name of its compute profile."""
PLATFORM_URL = "HUBYARD_PLATFORM_URL"
"""Where the platform answers; people set it too, with `TOKEN`, outside of the hub."""
TOKEN = "HUBYARD_TOKEN"  # noqa: S105  a name
"""A token of the hub; it goes before `HUB_TOKEN`."""
HUB_TOKEN = "JUPYTERHUB_API_TOKEN"  # noqa: S105  a name
"""The token that the hub gives each workload."""
PUBLIC_URL = "HUBYARD_PUBLIC_URL"
"""What people type to reach the deployment."""
SCRATCH = "HUBYARD_SCRATCH"
"""The working folder of a workload."""

RUN = "HUBYARD_RUN"
"""The id of the run that a step run belongs to."""
STEP = "HUBYARD_STEP"
"""The key of a step run."""
EXPERIMENT = "HUBYARD_EXPERIMENT"
"""The experiment that a run tracks to."""
NOTEBOOK = "HUBYARD_NOTEBOOK"
"""The path of the notebook or script that is executed."""
SOURCE = "HUBYARD_SOURCE"
"""The folder of the source that a run executes."""
OUTPUTS = "HUBYARD_OUTPUTS"
"""The folder of what a step run hands over."""
TRACKED = "HUBYARD_TRACKED"
"""The file that a step run leaves once it has begun a tracked run."""

THREAD_COUNTS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS", "LOKY_MAX_CPU_COUNT"),
)
"""How libraries are told their share of the cores."""
