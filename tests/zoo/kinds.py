"""Kinds of models, each as the cell of a notebook that trains it.

A cell leaves `model`, and `X` that it was trained on. `rows`, what the endpoint is
asked with, are the first four of X unless the cell leaves others; `expected` is what
the model answers them, in the process that trained it.
"""

from __future__ import annotations

SETUP = """
import mlflow
import numpy as np
import pandas as pd
from sklearn.datasets import load_iris, make_regression
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline

iris, species = load_iris(return_X_y=True, as_frame=True)
texts = ["good film", "bad film", "good plot", "bad plot"] * 5
liked = [1, 0, 1, 0] * 5
rng = np.random.default_rng(0)
"""

OWN_FILES = {
    "mysteps.py": """
from sklearn.base import BaseEstimator, TransformerMixin

class Doubled(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X * 2
""",
    "pkg/__init__.py": "",
    "pkg/columns.py": "from pkg.parts.factor import FACTOR\n\n"
    "def scaled(X):\n    return X * FACTOR\n",
    "pkg/parts/__init__.py": "",
    "pkg/parts/factor.py": "FACTOR = 3\n",
}
"""Files of the user's own, beside the notebook."""

_DATES = """
X = pd.DataFrame({"at": pd.date_range("2026-01-01", periods=40, freq="7h"%s)})
y = [at.hour for at in X["at"]]
from sklearn.preprocessing import FunctionTransformer

def hours(frame):
    return np.c_[frame["at"].dt.hour, frame["at"].dt.nanosecond]

model = make_pipeline(FunctionTransformer(hours), LinearRegression()).fit(X, y)
"""
_BOOSTED = """
X = pd.DataFrame({"kind": pd.Categorical(["a", "b", None, "c"] * 10),
                  "size": [1.0, 2.0, None, 4.0] * 10})
y = [0, 1, 0, 1] * 10
"""

KINDS: dict[str, str] = {
    "linear-regression": "X, y = iris, iris.sum(axis=1)\n"
    "model = LinearRegression().fit(X, y)",
    "logistic-regression": "X = iris\n"
    "model = LogisticRegression(max_iter=500).fit(X, species)",
    "forest-of-an-array": "from sklearn.ensemble import RandomForestClassifier\n"
    "X = iris.to_numpy()\nmodel = RandomForestClassifier(5).fit(X, species)",
    "float32-array": "from sklearn.preprocessing import StandardScaler\n"
    "from sklearn.svm import SVR\nX = iris.to_numpy('float32')\n"
    "model = make_pipeline(StandardScaler(), SVR()).fit(X, species)",
    "missing-numbers": "from sklearn.ensemble import HistGradientBoostingRegressor\n"
    "X = iris.mask(rng.random(iris.shape) < 0.3)\n"
    "model = HistGradientBoostingRegressor(max_iter=5).fit(X, species)",
    "optional-boolean": """
from sklearn.ensemble import HistGradientBoostingClassifier
flags = pd.array([True, None, False, True] * 10, dtype="boolean")
X = pd.DataFrame({"flag": flags, "size": [1.0, 2.0, 3.0, 4.0] * 10})
model = HistGradientBoostingClassifier().fit(X, [1, 0, 0, 1] * 10)
""",
    "optional-whole-number": """
from sklearn.ensemble import HistGradientBoostingRegressor
counts = pd.array([*range(39), None], dtype="Int64")
X = pd.DataFrame({"count": counts, "size": np.arange(40.0)})
model = HistGradientBoostingRegressor(max_iter=5).fit(X, np.arange(40.0))
rows = X.tail(4)
""",
    "small-whole-numbers": """
from sklearn.tree import DecisionTreeClassifier
X = pd.DataFrame({"a": np.arange(40, dtype="uint8"), "b": np.arange(40, dtype="int16")})
model = DecisionTreeClassifier().fit(X, X["a"] > 20)
""",
    "categories": """
from sklearn.ensemble import HistGradientBoostingClassifier
X = pd.DataFrame({"kind": pd.Categorical(["a", "b", "c", "d"] * 10),
                  "size": np.arange(40.0)})
model = HistGradientBoostingClassifier(categorical_features="from_dtype")
model.fit(X, [0, 1, 0, 1] * 10)
""",
    "one-hot": """
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OneHotEncoder
X = pd.DataFrame({"carrier": ["AA", "UA", "DL", "B6"] * 10, "size": np.arange(40.0)})
encoded = make_column_transformer((OneHotEncoder(), ["carrier"]),
                                  remainder="passthrough")
model = make_pipeline(encoded, LogisticRegression()).fit(X, [0, 1, 0, 1] * 10)
""",
    "texts-of-a-series": """
from sklearn.feature_extraction.text import TfidfVectorizer
X = pd.Series(texts)
model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(X, liked)
""",
    "texts-of-a-list": """
from sklearn.feature_extraction.text import TfidfVectorizer
X = texts
model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(X, liked)
""",
    "texts-of-a-column": """
from sklearn.feature_extraction.text import CountVectorizer
X = pd.DataFrame({"film": texts})["film"]
model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(X, liked)
""",
    "texts-of-an-array": """
from sklearn.feature_extraction.text import HashingVectorizer
X = np.array(texts, dtype=object)
model = make_pipeline(HashingVectorizer(n_features=64), LogisticRegression())
model.fit(X, liked)
""",
    "texts-beside-numbers": """
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
X = pd.DataFrame({"film": texts, "year": np.arange(2000, 2020)})
parts = make_column_transformer((TfidfVectorizer(), "film"), ("passthrough", ["year"]))
model = make_pipeline(parts, LogisticRegression()).fit(X, liked)
""",
    "dates": _DATES % "",
    "dates-with-a-zone": _DATES % ", tz='Europe/Berlin'",
    "dates-to-the-nanosecond": (_DATES % ", unit='ns'").replace(
        "y = [", "X['at'] += pd.to_timedelta(np.arange(40), unit='ns')\ny = ["
    ),
    "multi-output": "X, y = make_regression(60, 3, n_targets=2, random_state=0)\n"
    "X = pd.DataFrame(X, columns=['a', 'b', 'c'])\n"
    "model = LinearRegression().fit(X, y)",
    "multi-label": """
from sklearn.neighbors import KNeighborsClassifier
X = iris
model = KNeighborsClassifier().fit(X, np.c_[species > 0, species > 1])
""",
    "clusters": "from sklearn.cluster import KMeans\nX = iris\n"
    "model = KMeans(3, n_init=1, random_state=0).fit(X)",
    "outliers": "from sklearn.ensemble import IsolationForest\nX = iris\n"
    "model = IsolationForest(n_estimators=10, random_state=0).fit(X)",
    "grid-search": """
from sklearn.model_selection import GridSearchCV
X = iris
model = GridSearchCV(LogisticRegression(max_iter=500), {"C": [0.1, 1]}, cv=2)
model.fit(X, species)
""",
    "stacked": """
from sklearn.ensemble import StackingClassifier
from sklearn.tree import DecisionTreeClassifier
X = iris
parts = [("tree", DecisionTreeClassifier()), ("line", LogisticRegression(max_iter=500))]
model = StackingClassifier(parts, cv=2).fit(X, species)
""",
    "own-module": """
from mysteps import Doubled
X = iris
model = make_pipeline(Doubled(), LogisticRegression(max_iter=500)).fit(X, species)
""",
    "own-package": """
from pkg.columns import scaled
from sklearn.preprocessing import FunctionTransformer
X = iris
model = make_pipeline(FunctionTransformer(scaled), LinearRegression()).fit(X, species)
""",
    "xgboost": """
from xgboost import XGBClassifier
X = iris
model = XGBClassifier(n_estimators=5).fit(X, species)
with mlflow.start_run():
    mlflow.xgboost.log_model(model, name="m", input_example=X.head(3))
""",
    "xgboost-categories": _BOOSTED
    + """
from xgboost import XGBClassifier
model = XGBClassifier(n_estimators=5, enable_categorical=True).fit(X, y)
with mlflow.start_run():
    mlflow.xgboost.log_model(model, name="m", input_example=X.head(4))
""",
    "lightgbm": _BOOSTED
    + """
from lightgbm import LGBMClassifier
model = LGBMClassifier(n_estimators=5, min_child_samples=2, verbose=-1).fit(X, y)
with mlflow.start_run():
    mlflow.lightgbm.log_model(model, name="m", input_example=X.head(4))
""",
    "lightgbm-by-autolog": """
from lightgbm import LGBMRegressor
mlflow.lightgbm.autolog(log_input_examples=True, silent=True)
X = iris
model = LGBMRegressor(n_estimators=5, verbose=-1).fit(X, species)
mlflow.lightgbm.autolog(disable=True)
""",
    "catboost": """
from catboost import CatBoostRegressor
X = iris.mask(rng.random(iris.shape) < 0.2)
model = CatBoostRegressor(iterations=5, verbose=False, allow_writing_files=False)
model.fit(X, species)
with mlflow.start_run():
    mlflow.catboost.log_model(model, name="m", input_example=X.head(4))
""",
    "pyfunc-with-params": """
class Scaled(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["a"] * (params or {}).get("factor", 2.0)

X = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]})
model = Scaled()
signature = mlflow.models.infer_signature(X, X["a"], {"factor": 2.0})
with mlflow.start_run():
    mlflow.pyfunc.log_model(name="m", python_model=model, signature=signature,
                            input_example=X)
expected = model.predict(None, X)
""",
    "pyfunc-of-records": """
class Told(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [{"length": len(text), "upper": text.upper()}
                for text in model_input["text"]]

X = pd.DataFrame({"text": texts[:4]})
model = Told()
with mlflow.start_run():
    mlflow.pyfunc.log_model(name="m", python_model=model, input_example=X)
expected = model.predict(None, X)
""",
    "tensor": """
class Summed(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input.sum(axis=(1, 2))

X = rng.random((4, 3, 2))
model = Summed()
with mlflow.start_run():
    mlflow.pyfunc.log_model(name="m", python_model=model, input_example=X)
expected = model.predict(None, X)
""",
    "named-tensors": """
class Joined(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return {"both": model_input["image"].sum(axis=1) + model_input["mask"]}

X = {"image": rng.random((4, 3)), "mask": np.arange(4)}
model = Joined()
with mlflow.start_run():
    mlflow.pyfunc.log_model(name="m", python_model=model, input_example=X)
expected, rows = model.predict(None, X), X
""",
    "infinite-answers": """
class Log(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        with np.errstate(all="ignore"):
            return np.log(model_input["a"])

X = pd.DataFrame({"a": [1.0, 0.0, -1.0, 2.0]})
model = Log()
with mlflow.start_run():
    mlflow.pyfunc.log_model(name="m", python_model=model, input_example=X)
expected = model.predict(None, X)
""",
}
BOOSTED = (
    "xgboost",
    "xgboost-categories",
    "lightgbm",
    "lightgbm-by-autolog",
    "catboost",
)
"""They need a package that is not in the base."""
FEW = ("optional-boolean", "texts-of-a-series", "own-module", "dates-with-a-zone")
"""For the check of each change."""
