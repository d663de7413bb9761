"""An example: a few rows of the training data, kept with a model.

From it come the signature, the sample request of an endpoint and, in the model's
metadata, what each column was. So the rows show which columns may be missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubyard.contract.tracking import METADATA

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

ROWS = 5
_MOST_CATEGORIES = 5000
"""Of all columns together; what is more would make the text of the model too long."""
_PLAIN = (str, int, float, bool)


def chosen(data: Any) -> Any:  # noqa: ANN401  whatever a model was trained on
    """The first rows, and for each column with missing values one that shows it."""
    import pandas as pd  # noqa: PLC0415  only who trains shall pay

    if not isinstance(data, pd.DataFrame | pd.Series):
        return _typed(data[:ROWS])
    rows = list(range(min(ROWS, len(data))))
    frame = data.to_frame() if isinstance(data, pd.Series) else data
    for index in range(frame.shape[1]):
        missing = frame.iloc[:, index].isna().to_numpy()
        if missing.any() and not missing[rows].any():
            rows.append(int(missing.argmax()))
    return data.iloc[sorted(rows)]


def _typed(rows: Any) -> Any:  # noqa: ANN401  as above
    """Texts as texts: an array of objects would tell nobody what it holds."""
    import numpy as np  # noqa: PLC0415  as above

    is_array = isinstance(rows, np.ndarray) and rows.dtype == object
    if is_array and all(isinstance(each, str) for each in rows.ravel()):
        return rows.astype(str)
    return rows


def is_start(rows: Any, data: Any) -> bool:  # noqa: ANN401  as above
    """Whether some rows are the first ones of the data, as far as their kind tells."""
    import pandas as pd  # noqa: PLC0415  as above

    if type(rows) is not type(data):
        return False
    return not isinstance(rows, pd.DataFrame) or rows.columns.equals(data.columns)


def request(example: Any) -> Any:  # noqa: ANN401  as above
    """The example in a form that MLflow keeps: it has none for a series."""
    import pandas as pd  # noqa: PLC0415  as above

    if not isinstance(example, pd.Series):
        return example
    return example.tolist() if example.name is None else example.to_frame()


def described(example: Any, *, takes_frames: bool) -> dict[str, Any]:  # noqa: ANN401  as above
    """The metadata that tells an endpoint what the training data was.

    Args:
        example: rows of it.
        takes_frames: MLflow makes a frame of what the model gets, whatever it is.
    """
    import pandas as pd  # noqa: PLC0415  as above

    if isinstance(example, pd.DataFrame):
        columns = {str(name): column for name, column in example.items()}
        return {METADATA: {"shape": "frame", "dtypes": _dtypes(columns)}}
    if takes_frames:
        return {}
    if isinstance(example, pd.Series):
        name = "" if example.name is None else str(example.name)
        return {METADATA: {"shape": "series", "dtypes": _dtypes({name: example})}}
    if isinstance(example, list) and not any(isinstance(e, dict) for e in example):
        return {METADATA: {"shape": "list", "dtypes": {}}}
    return {}


def has_categories(example: Any) -> bool:  # noqa: ANN401  as above
    """Whether a column of the example is one of categories."""
    import pandas as pd  # noqa: PLC0415  as above

    is_frame = isinstance(example, pd.DataFrame)
    return is_frame and any(str(dtype) == "category" for dtype in example.dtypes)


def _dtypes(columns: Mapping[str, pd.Series]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    left = _MOST_CATEGORIES
    for name, column in columns.items():
        if str(column.dtype) != "category":
            found[name] = str(column.dtype)
            continue
        categories = column.cat.categories.tolist()
        left -= len(categories)
        if left >= 0 and all(isinstance(each, _PLAIN) for each in categories):
            found[name] = {"categories": categories, "ordered": column.cat.ordered}
    return found
