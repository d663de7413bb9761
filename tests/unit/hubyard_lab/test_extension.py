"""What JupyterLab's tools are told of the extension."""

import json
from pathlib import Path

import hubyard_lab
from support.hub import REPOSITORY


def test_the_extension_is_found_under_the_name_that_its_package_has():
    (path,) = hubyard_lab._jupyter_labextension_paths()
    package = json.loads((REPOSITORY / "lab_extension" / "package.json").read_text())
    assert path["dest"] == package["name"]
    built = (Path(hubyard_lab.__file__).parent / path["src"]).resolve()
    assert built == (REPOSITORY / "lab_extension" / package["jupyterlab"]["outputDir"])
