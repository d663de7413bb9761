"""The platform's HTTP interface: one router for each noun, no route without a rule.

access   who may call: a person, or a workload with its own token
answers  how an error becomes a `Problem`
body     what a request may carry: JSON, and not too much of it
nouns    what the routes call
"""
