# %% [markdown]
# # How good is a model of this size?
# A step of `pipelines/nightly.yml`, which runs once for each size.

# %% tags=["parameters"]
rows: int = 20_000  # flights to learn from
trees: int = 20  # boosting rounds

# %%
from data import FEATURES, load
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_score

flights = load(rows)
model = HistGradientBoostingClassifier(max_iter=trees, random_state=0)
scores = cross_val_score(
    model, flights[FEATURES], flights["late"], scoring="roc_auc", cv=3
)
print(f"{trees} trees: AUC {scores.mean():.3f}")

# %%
from hubyard import pipelines

pipelines.output("auc", float(scores.mean()))
