"""Money: what workloads cost, who pays, and what may be spent.

price        money per hour, of a compute profile; frozen into an entry at the start
entry        a workload's start and end in the ledger; line: an entry as it is read
budget       what a user, a group or a project may spend in a month
reservation  what a start may cost at most, held until its end settles it
spending     what was spent, by whom and for what
audit        who changed what, kept for those who ask later
usage        what workloads say of themselves, and what is measured of them
"""
