"""The reconciler: brings every workload to where its wish says that it shall be.

steps  what to do next, decided from facts alone
acts   gathers the facts of one wish, does the step, writes what came of it
loop   the thread that looks every second, and at once after a change
"""
