"""Configuration of a hub under test: its workloads are measured for coverage too."""

import os

_COVERAGE = "COVERAGE_PROCESS_CONFIG"

c = get_config()  # noqa: F821  given by traitlets
c.Spawner.environment = {n: os.environ[n] for n in [_COVERAGE] if n in os.environ}
