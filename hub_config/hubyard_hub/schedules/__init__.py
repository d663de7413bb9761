"""Schedules: what wakes them, and what becomes of a missed fire.

cron      parsing, fires and words
core      when a cron fires, and that it does so exactly once
files     what a look at files finds
triggers  that what a look has found new fires exactly once
watch     what looks at files and aliases, every few seconds
hooks     webhooks, and the secrets that open them
drops     the fires that started no run, and why
book      the schedules of everyone, as they ask for them
"""
