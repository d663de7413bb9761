"""MLflow behind the gate: tracking and registry, with the hub's users and groups.

member  a user or service of the hub as MLflow knows it. MLflow's own users are only
        shadows: the hub says who is an admin and who is in which group
role    MLflow's word for what several members share; each group of the hub is one,
        called `group/<group>`

`hubyard_hub.mlflow_app` composes these into the process that serves MLflow.
"""
