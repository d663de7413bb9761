"""The guard: which addresses are public, and what it hears of a message."""

from __future__ import annotations

import socket

import pytest

from hubyard_hub.notices.guard import Guard, Inside, is_public

PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:2800:220:1::1"]
NOT_PUBLIC = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:93.184.216.34", "::127.0.0.1"),
    *("fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
    *("64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1"),
    *("localhost", "", "2130706433", "0177.0.0.1", "0x7f.1", "127.1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_reached(address: str):
    assert is_public(address)
    Guard().hear("socket.connect", (None, (address, 443)))
    assert Guard().admits(f"{address}:443")


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_no_other_may(address: str):
    assert not is_public(address)
    guard = Guard()
    with pytest.raises(Inside):
        guard.hear("socket.connect", (None, (address, 443)))
    assert guard.stopped == address


@pytest.mark.parametrize("address", ["/run/a.sock", b"\0abstract", (0, 0)])
def test_what_is_no_address_of_the_internet_is_inside(address: object):
    with pytest.raises(Inside):
        Guard().hear("socket.connect", (None, address))


def test_what_was_named_may_be_reached_at_its_port_alone():
    guard = Guard(["localhost:25", "[::1]:26", "nowhere.invalid:27"])
    guard.hear("socket.connect", (None, ("127.0.0.1", 25)))
    guard.hear("socket.connect", (None, ("::1", 26, 0, 0)))
    assert guard.admits("127.0.0.1:25")
    for place in (("127.0.0.1", 26), ("127.0.0.2", 25)):
        with pytest.raises(Inside):
            guard.hear("socket.connect", (None, place))


def test_what_has_no_address_yet_may_have_one_later(monkeypatch):
    def unknown(*_: object, **__: object):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert Guard().admits("later.example.org:443")


@pytest.mark.parametrize("event", ["subprocess.Popen", "os.system", "socket.sendto"])
def test_a_message_needs_no_other_way(event: str):
    with pytest.raises(Inside):
        Guard().hear(event, ("sh",))
    Guard().hear("open", ("/etc/hosts", "r", 0))


@pytest.mark.parametrize(
    ("event", "said", "has_sent"),
    [
        ("http.client.send", b"POST / HTTP/1.1", True),
        ("smtplib.send", "ehlo me\r\n", False),
        ("smtplib.send", b"rcpt TO:<a@b.org>", False),
        ("smtplib.send", "data\r\n", True),
    ],
)
def test_it_hears_when_a_message_may_have_left(event, said, *, has_sent: bool):
    guard = Guard()
    guard.hear(event, (None, said))
    assert guard.has_sent is has_sent
