"""The local engine: workloads as processes of this machine, under one Unix user.

folder  what a workload's shim and its spawner tell each other
shim    the parent of one workload, which records exactly how it ended
limits  the ladder that holds a workload to its compute
guard   what of the platform a workload finds read-only
disk    while it is nearly full nothing new starts; what runs goes on
usage   the cores, memory and disk that living workloads use, measured from outside
"""
