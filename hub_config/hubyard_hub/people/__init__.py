"""People: whose things are whose, and what becomes of them when somebody leaves.

identity   one user of the hub, from its creation to its deletion. Rows name their
           owner, and while that user exists the name stands for this identity alone
former     the owner of what a departure has set aside: `<name>/<departure>`. The hub
           allows no slash in a name, so no user is ever taken for one
departure  the row that says whose access ends; see `hubyard.contract.people`

departures  makes these rows, shows them, and what somebody holds
aside       changes the owner of what stays: to a deputy, or to the former owner
job         brings every open departure further, as the reconciler does
access      the hub's half: ends sessions, tokens and servers, deletes the user
"""
