"""Models: tracked runs and the registry, as MLflow's server tells of them.

tracked   the tracked runs that a person may see, and what is told of each
registry  models, their versions and aliases; what may be registered
servable  whether an endpoint could serve a model: asked before anything starts
copy      a model's files, kept as a source that an endpoint is given
ends      tracked runs whose run has ended, closed in MLflow once it answers
"""
