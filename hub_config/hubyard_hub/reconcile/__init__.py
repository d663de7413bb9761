"""The reconciler: brings every workload to where its wish says that it shall be.

turns    which of the runs that wait begin now, decided from rows alone
waiting  the same, gathered and written down
steps    what to do next, decided from facts alone
acts     gathers the facts of one wish, does the step, writes what came of it
loop     the thread that looks every second, and at once after a change
"""
