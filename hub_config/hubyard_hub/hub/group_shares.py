"""Shares with groups, as a token of a member has them.

A server may be shared with a person or with a group. JupyterHub 6.1 gives a person's
session both, and a person's token only what is shared with the person; every login to
an app ends in such a token. Here a token has what is shared with its owner's groups as
well, within the scopes that it was made with.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy
from jupyterhub import orm, scopes
from jupyterhub.apihandlers import base as api_base


def include_group_shares() -> None:
    """Let this process's hub count the shares of a token owner's groups."""
    stock = scopes.get_scopes_for

    def get_scopes_for(orm_object: Any) -> set[str]:  # noqa: ANN401 - as JupyterHub has it
        found = set(stock(orm_object))
        if isinstance(orm_object, orm.APIToken) and orm_object.user is not None:
            found |= _of_groups(orm_object)
        return found

    # The second module has a name of its own for the function.
    scopes.get_scopes_for = api_base.get_scopes_for = get_scopes_for


def _of_groups(token: Any) -> set[str]:  # noqa: ANN401 - an untyped row
    """What a token may do by the shares of its owner's groups."""
    shared: set[str] = set()
    for group in token.user.groups:
        for share in group.shared_with_me:
            shared |= scopes.expand_share_scopes(share)
    own = set(token.scopes)
    if not shared or "inherit" in own:
        return shared
    client = token.oauth_client
    own = set(scopes.expand_scopes(own, owner=token.user, oauth_client=client))
    if token.client_id != "jupyterhub":
        own |= scopes.access_scopes(client)
    # It has no public name.
    intersect = scopes._intersect_expanded_scopes  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    session = sqlalchemy.inspect(token).session
    return set(intersect(scopes.reduce_scopes(own), frozenset(shared), db=session))
