"""Pipelines: what a run executes, read from its pinned source and checked at the door.

entry       what a run executes: a notebook, a script, or a pipeline; its parameters and
            its steps
definition  `pipelines/<name>.yml`, as a project writes it
tagged      one notebook whose cells are tagged `step:<name>`
"""
