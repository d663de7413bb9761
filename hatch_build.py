"""What a wheel holds beside the rooms; an editable install finds it in the checkout."""

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROXY = Path("hub_config/proxy")
BESIDE = {
    "docs": "hubyard_lab/docs",
    "hub_config/compute.toml": "hubyard_hub/compute.toml",
    "hub_config/jupyterhub_config.py": "hubyard_hub/jupyterhub_config.py",
    "hub_config/proxy/node_modules": "hubyard_hub/proxy/node_modules",
}


class CustomBuildHook(BuildHookInterface):
    """Installs the proxy's packages and packs what the hub's side needs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add to a real wheel; leave an editable one alone."""
        if version == "editable":
            return
        root = Path(self.root)
        if not (root / PROXY / "node_modules").exists():
            subprocess.run(
                ["jlpm", "install", "--immutable"], cwd=root / PROXY, check=True
            )
        build_data["force_include"].update(
            {str(root / source): target for source, target in BESIDE.items()}
        )
