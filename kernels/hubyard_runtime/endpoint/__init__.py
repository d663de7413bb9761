"""An endpoint: the workload that serves one model version over HTTP.

body       what a client sent, in one of MLflow's four formats
signature  the columns or tensors that the model takes, as MLflow recorded them
table      rows that the signature has accepted
batch      the tables that one call of the model's predict answers

A request goes body -> signature -> table -> batch -> model -> answer.
"""
