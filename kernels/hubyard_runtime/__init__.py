"""What runs inside a workload, and the gate before everything that answers HTTP."""
