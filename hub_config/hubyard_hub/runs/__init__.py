"""Runs: one execution of a pipeline each, on its own compute.

wanted   the row of a run that shall begin
steps    its step runs, kept apart from it, and their counts
record   what a run says of itself, and what stands in for a last word that never came
history  what past runs say of those to come
runs     the runs of everyone, as they ask for them and as a run itself does
"""
