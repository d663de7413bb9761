"""What a run asks of the system: whole files, memory, its tree of processes."""
