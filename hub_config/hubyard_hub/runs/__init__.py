"""Runs: one execution of a pipeline each, on its own compute.

wanted   the row of a run that shall begin
steps    its step runs, kept apart from it, and their counts
record   what a run says of itself, and what stands in for a last word that never came
history  what past runs say of those to come
kept     the files that step runs have handed in
again    what a run that resumes another takes over from it; cache: from any earlier one
job      what a run is told that asks what it shall do
runs     the runs of everyone, as they ask for them and as a run itself does
"""
