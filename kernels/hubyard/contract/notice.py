"""A notice: a run broke, is late, or its schedule is well again; its owner is told.

bell      the owner's own list of notices, in the Lab; each is there exactly once
channel   a way out of Hubyard that an administrator has defined: mail, chat, a webhook
delivery  one notice on its way through one channel
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from hubyard.contract.base import Moment, Read, Slug, Title, Written

LONGEST_URL = 2000


class Why(StrEnum):
    """What a notice tells of.

    FAILED: a run has failed. RECOVERED: the first success of a schedule after that.
    LATE: a fire's run has still not begun, some minutes after its due time.
    DISK: it is nearly full; administrators are told, once.
    """

    FAILED = "failed"
    RECOVERED = "recovered"
    LATE = "late"
    DISK = "disk"


OF_RUNS = (Why.FAILED, Why.RECOVERED, Why.LATE)
"""What a schedule may say that channels are told of."""


Channels = Annotated[tuple[Slug, ...], Field(max_length=20)]
"""Names of channels."""

USUAL, NOBODY = "usual", "nobody"
"""What stands for no channel's name: those that an administrator chose, and none."""


class Notice(Read):
    """What one person is told, once."""

    id: str
    why: Why
    run_id: str = Field(description="no run's id where `why` is `disk`")
    schedule_id: str | None
    name: str = Field(description="of the run")
    message: str
    cell: int | None = Field(default=None, description="index of the failing cell")
    link: str = Field(description="leads to the failed cell, or to the run")
    created_at: Moment
    seen_at: Moment | None


class Notices(Read):
    """The newest notices of one person."""

    owner: str
    unseen: int = Field(description="of all that are kept")
    notices: tuple[Notice, ...] = Field(description="the newest hundred")


_NoticeId = Annotated[str, Field(max_length=64)]


class SeenRequest(Written):
    """Say which notices were seen."""

    ids: Annotated[tuple[_NoticeId, ...], Field(max_length=1000)] | None = Field(
        default=None, description="None: all"
    )


class ChannelRequest(Written):
    """Define a channel, or define it anew."""

    url: Annotated[str, Field(min_length=1, max_length=LONGEST_URL, repr=False)]
    purpose: Title | None = None
    is_default: bool = Field(
        default=False, description="for schedules that name no channel"
    )


class Channel(Read):
    """A channel; the secret within its URL is never told."""

    name: str
    kind: str = Field(description="mail, webhook, slack, ...")
    purpose: str | None
    is_default: bool
    place: str | None = Field(
        default=None, description="where it leads, masked; for administrators"
    )


class DeliveryStatus(StrEnum):
    """Where a delivery is.

    SENT: the service has answered that it has it. HANDED_OVER: a mail server, or a
    service that works on it later, has taken it; nothing tells whether it arrives.
    REFUSED: the channel did not take it, however often it was asked. UNSURE: nothing
    says whether it was taken; it is not sent again, for it would come twice.
    """

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    HANDED_OVER = "handed-over"
    REFUSED = "refused"
    UNSURE = "unsure"


class Delivery(Read):
    """What became of a notice in a channel."""

    channel: str
    why: Why
    owner: str
    run_id: str
    name: str = Field(description="of the run")
    status: DeliveryStatus
    attempts: int
    changed_at: Moment
    said: str | None = Field(description="why it was not taken")


class Trial(Read):
    """What became of a message that only tries a channel."""

    status: DeliveryStatus
    said: str | None = None
