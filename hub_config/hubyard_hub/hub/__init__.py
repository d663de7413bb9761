"""The hub's own process: JupyterHub, with what it takes to live with others' faults.

requests      what is looked at before any of the hub's handlers sees a request
lines         those of refused requests in its log: some each minute, then their number
database      the hub's own database, asked by one session for all
group_shares  shares with groups, as a token of a member has them
"""
