"""The guard: what of the platform a workload finds read-only.

Where the hub runs as root, the shim binds these folders read-only in a mount namespace
of the workload's own. That is a guard and no wall: a workload is root as well, and may
take the mount away. Elsewhere only pip's own rules keep a person's packages out of the
platform's environment (see `hubyard.packages`).
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path


def read_only_folders(*written: Path) -> list[str]:
    """The platform's environment, unless a folder that must be written lies in it."""
    if os.geteuid() != 0:
        return []
    is_own = sys.prefix != sys.base_prefix
    packages = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    folders = {Path(path).resolve() for path in ([sys.prefix] if is_own else packages)}
    needed = [path.resolve() for path in written]
    return sorted(
        str(folder)
        for folder in folders
        if folder.is_dir() and not any(n.is_relative_to(folder) for n in needed)
    )
