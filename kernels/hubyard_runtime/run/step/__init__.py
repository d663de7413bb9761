"""A step: one notebook or script, executed cell by cell in a kernel of its own.

task      all that the worker of one step run is told
worker    the process that executes it; engine: what takes its cells through a kernel
source    a notebook or script as it was handed in; notebook: as it is executed
handover  the values and files that it leaves for those that come after it
cause     why a kernel is ended; failure: what broke, in the owner's words
"""
