"""The protocol of an endpoint: what a client sends, and what it is answered.

body       what a client sent, in one of the four formats of MLflow's scoring protocol
signature  the input that a model takes, as MLflow recorded it
value      one cell of a request, read as the type that the signature gives it
table      rows that the signature has accepted, ready for the model
answer     what the model's predict returned, as plain JSON
"""
