"""Pages of the hub: starting a workspace, home, money, and what does not run.

viewer  who looks at a page
asking  how the hub's loop asks the store, which may keep whoever asks waiting
ended   what is answered for a run, an endpoint or an app that does not run
"""
