# %% [markdown]
# # Which size is the best?

# %% tags=["parameters"]
sizes: list[int] = [20]
scores: list[float] = [0.5]  # the AUC of each

# %%
from hubyard import pipelines

score, trees = max(zip(scores, sizes))
print(f"{trees} trees are best, with an AUC of {score:.3f}")
pipelines.output("trees", trees)
