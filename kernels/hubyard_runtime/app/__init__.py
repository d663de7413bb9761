"""An app's process: the gate, a proxy behind it, and the framework as its child.

child      the process in which the owner's code runs; it sees no token and no cookie
           of the hub, and listens on a socket that only this Unix user can open
framework  Voila or Streamlit
visit      the first is made by the child itself, as the owner: it decides whether the
           app is ready (see `first`)
"""
