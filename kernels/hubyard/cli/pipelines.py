"""`pipeline`: checking a pipeline's file, its schema, and those of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from hubyard.cli.show import add_command, say, show, show_text
from hubyard.client import Client
from hubyard.contract.errors import Invalid, NotFound

if TYPE_CHECKING:
    import argparse

    from hubyard.cli.show import Subparsers


def add_commands(subparsers: Subparsers) -> None:
    """Add the commands of this noun."""
    pipeline = add_command(
        subparsers, "pipeline", "Check a pipeline, or take one over", _pipeline
    )
    one = pipeline.add_mutually_exclusive_group(required=True)
    one.add_argument("--check", type=Path, metavar="FILE", help="say what is wrong")
    one.add_argument(
        "--schema", action="store_true", help="print the JSON schema for editors"
    )
    one.add_argument(
        "--elyra", type=Path, metavar="FILE", help="print Elyra's .pipeline as ours"
    )
    pipeline.add_argument(
        "--accept",
        action="store_true",
        help="with --elyra: go without the settings that are named as lost",
    )


def _pipeline(arguments: argparse.Namespace) -> int:
    if arguments.schema:
        from hubyard.contract.pipeline import PipelineFile  # noqa: PLC0415  pydantic

        schema = json.dumps(PipelineFile.model_json_schema(), indent=2)
        return show_text(arguments, "schema", schema + "\n")
    if arguments.elyra is not None:
        return _elyra(arguments)
    with Client.from_environment() as client:
        source = client.sources.upload_notebook(arguments.check)
    names = ", ".join(each.name for each in source.parameters) or "none"
    return show(
        arguments,
        source,
        lambda: [f"{source.notebook} can run.", f"parameters: {names}"],
    )


def _elyra(arguments: argparse.Namespace) -> int:
    import yaml  # noqa: PLC0415  nothing else here needs it

    from hubyard.pipelines.elyra import read_elyra  # noqa: PLC0415  the same

    try:
        text = arguments.elyra.read_text()
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is not UTF-8"
        raise NotFound(f"{arguments.elyra} cannot be read: {said}.") from None
    taken = read_elyra(text)
    for line in taken.lost:
        say(f"lost: {line}")
    if taken.lost and not arguments.accept:
        raise Invalid(
            f"{len(taken.lost)} settings cannot be taken over: write --accept to go "
            "without them."
        )
    written = yaml.safe_dump(taken.file, sort_keys=False, allow_unicode=True)
    noted = "".join(f"# lost: {line}\n" for line in taken.lost)
    say("Keep it as pipelines/NAME.yml in the folder of its notebooks.")
    return show_text(arguments, "pipeline", noted + written)
