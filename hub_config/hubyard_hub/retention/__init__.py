"""Retention: which files are kept, and for how long.

needed    what a schedule, an app, a deployment, a tracked run, or anything that has not
          ended or ended lately, still uses; whatever its age, it stays
leftover  what is not needed and was not used for as many days as the settings say
upload    a file that a killed process was receiving; it goes after a day
prune     removes the leftovers. A dry run only lists them
"""
