"""Workloads: what is common to runs, endpoints and apps, whatever their kind.

wish     a row that says which workload shall be where, and where it stands
running  what runs now, what it costs, and how it may run longer
client   asks the hub to start and stop servers, and how they are
log      what a workload has printed
"""
