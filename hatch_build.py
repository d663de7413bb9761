"""What a wheel holds beside the rooms; an editable install finds it in the checkout."""

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROXY = Path("hub_config/proxy")
PACKED_PROXY = Path("hubyard_hub/proxy")
BESIDE = {
    "docs": "hubyard_lab/docs",
    "hub_config/compute.toml": "hubyard_hub/compute.toml",
    "hub_config/jupyterhub_config.py": "hubyard_hub/jupyterhub_config.py",
}
NOT_RUN = {".map", ".ts", ".mts", ".cts", ".md", ".yml"}
TESTS = {"test", "tests"}


class CustomBuildHook(BuildHookInterface):
    """Installs the proxy's packages and packs what the hub's side needs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add to a wheel, and to an sdist what its wheel needs; not to an editable."""
        if version == "editable":
            return
        root = Path(self.root)
        if not (root / PROXY / "node_modules").exists():
            subprocess.run(
                ["jlpm", "install", "--immutable"], cwd=root / PROXY, check=True
            )
        if self.target_name != "wheel":
            return
        packed = {str(root / source): target for source, target in BESIDE.items()}
        build_data["force_include"].update({**packed, **_proxy(root / PROXY)})


def _proxy(folder: Path) -> dict[str, str]:
    """The proxy and its packages: what Node runs, and the licences."""
    return {
        str(path): str(PACKED_PROXY / path.relative_to(folder))
        for path in sorted([*folder.glob("*.mjs"), *folder.glob("node_modules/**/*")])
        if path.is_file()
        and not path.is_symlink()
        and path.suffix not in NOT_RUN
        and not TESTS.intersection(path.relative_to(folder).parts)
    }
