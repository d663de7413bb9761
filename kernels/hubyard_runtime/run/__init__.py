"""The run: one execution of a pipeline on its own compute, with its own true record.

job       what the platform tells the run to do; a notebook alone is one step
record    what happened, step by step and cell by cell; never read back from papermill
dag       which step runs begin next; crew: the workers that execute them
worker    a process that executes one step run in a kernel of its own
handover  the values and files that a step leaves for those that come after it
place     a cell as people count it: "Cell 3 of 7", of the cells that run
hand in   give the platform the executed notebook, its report, then the last record
stop      somebody stopped the run, or its lifetime is over: SIGTERM

Started as `python -m hubyard_runtime.run`. One thread serves the live page, one looks
after the steps, one sends the record, one hands in. Whatever lies below a worker is its
kernel with all that the notebook has started, and is gone before the worker ends.
"""
