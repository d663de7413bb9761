"""Schedules: cron, time zone and what becomes of a missed fire.

cron  parsing, fires and words
core  when a schedule fires, and that it does so exactly once
drops the fires that started no run, and why
book  the schedules of everyone, as they ask for them
"""
