"""The page at an endpoint's `docs`: for people, without scripts or outside help."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from hubyard_runtime.endpoint.openapi import example

if TYPE_CHECKING:
    from hubyard.contract.deployment import DeploymentJob
    from hubyard_runtime.endpoint.model import Model

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{name}</title>
<style>
body {{ font: 1rem/1.5 system-ui; max-width: 60rem; margin: 2rem auto; padding: 1rem }}
table {{ border-collapse: collapse }}
th, td {{ text-align: start; padding: .25rem 1.5rem .25rem 0 }}
pre {{ overflow-x: auto; padding: 1rem; border: 1px solid }}
</style>
<h1>{name}</h1>
<p>Version {version} of the model {model}, revision {revision}.</p>
<h2>Ask for a prediction</h2>
<p>Send a token that may use this endpoint, and JSON like this:</p>
<pre tabindex="0">curl {url}invocations \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{example}'</pre>
<h2>Input</h2>
{input}
<h2>More</h2>
<ul>
<li><a href="openapi.json">openapi.json</a>: this interface for programs</li>
<li><a href="info">info</a>: the signature, and the traffic so far</li>
<li><a href="health">health</a></li>
</ul>
"""


def page(model: Model, job: DeploymentJob, url: str) -> str:
    """The page, for an endpoint whose address ends in a slash."""
    return _PAGE.format(
        name=escape(job.name),
        version=escape(job.revision.version),
        model=escape(job.revision.model),
        revision=job.revision.number,
        url=escape(url),
        # The shell ends a quoted text at an apostrophe; JSON has another way to say it.
        example=escape(json.dumps(example(model)).replace("'", "\\u0027")),
        input=_input(model.recorded.get("inputs") or []),
    )


def _input(specs: list[dict[str, Any]]) -> str:
    if not specs:
        return "<p>The model was logged without a signature: its author knows.</p>"
    rows = "".join(
        f"<tr><td>{escape(str(spec.get('name', '')))}</td>"
        f"<td>{escape(_type(spec))}</td>"
        f"<td>{'yes' if spec.get('required', True) else 'no'}</td></tr>"
        for spec in specs
    )
    return f"<table><tr><th>Name<th>Type<th>Required</tr>{rows}</table>"


def _type(spec: dict[str, Any]) -> str:
    if tensor := spec.get("tensor-spec"):
        shape = " x ".join("any" if n < 0 else str(n) for n in tensor["shape"])
        return f"{tensor['dtype']}, {shape}"
    return str(spec.get("type"))
