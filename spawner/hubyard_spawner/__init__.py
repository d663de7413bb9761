"""One spawner, four workloads: each with a compute profile, a price and a lifetime."""
