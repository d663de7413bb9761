"""The run: one execution of a notebook on its own compute, with its own true record.

job       what the platform tells the run to do
record    what happened, cell by cell; kept here, never read back from papermill
place     a cell as people count it: "Cell 3 of 7", of the cells that run
hand in   give the platform the executed notebook, its report, then the last record
stop      somebody stopped the run, or its lifetime is over: SIGTERM

Started as `python -m hubyard_runtime.run`. One thread serves the live page, one
executes, one sends the record. Whatever lies below this process is the kernel with all
that the notebook has started, and is gone before the run ends.
"""
