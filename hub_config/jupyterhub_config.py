"""The deployment's JupyterHub: all that Hubyard asks of it, then whatever is yours.

`hubyard up` runs the hub with this file. Settings of your own go below the call, or
into a file that `HUBYARD_HUB_CONFIG` names.
"""

from hubyard_hub.configure import configure

c = get_config()  # pyright: ignore[reportUndefinedVariable]  given by traitlets
configure(c)
