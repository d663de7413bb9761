"""Notices: who is told when a run breaks, and how.

tell      makes notices, in the transaction that makes a run's end final
book      shows an owner's notices, and hears which were seen
channels  the ways out of Hubyard, defined by administrators
delivery  sends what waits for a channel
sender    the process that sends one message and ends
known     which URLs are channels
guard     what keeps that process from every address inside
"""
