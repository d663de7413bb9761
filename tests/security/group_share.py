"""A share with a group of which bo was: what it gave him must be gone.

ana shares her app with a group, bo opens it as a member, and leaves the group. All that
he asks afterwards he asks with the sessions that he had then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from hubyard.contract.app import Share
from support.patience import until

if TYPE_CHECKING:
    from security.victim import Victim
    from support.running import Person

GROUP = "readers"


def comes_and_goes(victim: Victim, bo: Person) -> list[str]:
    """What does not hold of it; the share stays, and bo's membership does not."""
    ana, app = victim.person, f"{victim.home('app')}/"
    ana.hub("POST", f"/groups/{GROUP}")
    ana.hub("POST", f"/groups/{GROUP}/users", users=[bo.name]).raise_for_status()
    bearer = {"Authorization": f"Bearer {bo.token()}"}

    def status() -> int:
        url = f"{victim.hubyard.url}{app}"
        return httpx.get(url, headers=bearer, trust_env=False).status_code

    found = [] if status() == httpx.codes.FORBIDDEN else ["bo opens ana's app unshared"]
    victim.client.apps.share(victim.ids["apps"], Share(group=GROUP))
    until(lambda: status() == httpx.codes.OK, status)
    ana.hub("DELETE", f"/groups/{GROUP}/users", users=[bo.name]).raise_for_status()
    until(lambda: status() == httpx.codes.FORBIDDEN, status)
    return found
