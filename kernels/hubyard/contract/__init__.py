"""The words that both sides of Hubyard share: values, enums, transitions.

One module per noun. No input or output, no Jupyter: pydantic and the standard
library only. A change inside a major version only ever adds.
"""
