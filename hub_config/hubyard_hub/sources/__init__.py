"""Sources: what a run executes, pinned by its content and checked at the door.

upload      a packed folder that somebody hands in; a source, once it is kept
blob        one kept file, named by the digest of its content
entry       what a run executes: a notebook, a script, or a pipeline; its parameters and
            its steps
definition  `pipelines/<name>.yml`, as a project writes it
tagged      one notebook whose cells are tagged `step:<name>`
comparison  what is another in the latest source
"""
