"""Serving: models behind endpoints.

deployment  which model version is served, where, and on which compute
revision    one numbered state of a deployment
"""
