"""A client's address is what our own proxy saw, and never what a client wrote."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard_hub.signing_in.address import counted, seen

FRONT, SECOND = ip_network("10.0.0.7"), ip_network("10.1.0.0/16")


@pytest.mark.parametrize(
    ("chain", "proxies", "address"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("198.51.100.1, 192.0.2.1", (), "192.0.2.1"),
        ("198.51.100.1,::ffff:192.0.2.1", (), "192.0.2.1"),
        ("", (), ""),
        ("198.51.100.1, what", (), ""),
        ("198.51.100.1, 192.0.2.1", [FRONT], "192.0.2.1"),
        ("192.0.2.1, 10.0.0.7", [FRONT], "192.0.2.1"),
        ("198.51.100.1, 192.0.2.1,10.0.0.7", [FRONT], "192.0.2.1"),
        ("192.0.2.1, ::ffff:10.0.0.7", [FRONT], "192.0.2.1"),
        # Some proxies write the client's port as well.
        ("192.0.2.1:50211, 10.0.0.7", [FRONT], "192.0.2.1"),
        ("[2001:db8::1]:50211, 10.0.0.7", [FRONT], "2001:db8::1"),
        ("2001:db8::1, 10.0.0.7", [FRONT], "2001:db8::1"),
        ("192.0.2.1:what, 10.0.0.7", [FRONT], "10.0.0.7"),
        # A client at the address of the proxy itself.
        ("198.51.100.1, 10.0.0.7, 10.0.0.7", [FRONT], "10.0.0.7"),
        # The proxy says nothing, or nothing that is an address.
        ("10.0.0.7", [FRONT], "10.0.0.7"),
        ("unknown, 10.0.0.7", [FRONT], "10.0.0.7"),
        ("198.51.100.1, unknown, 10.0.0.7", [FRONT], "10.0.0.7"),
        # Two in a row, each of which vouches for one.
        ("192.0.2.1, 10.1.2.3, 10.0.0.7", [FRONT, SECOND], "192.0.2.1"),
        ("192.0.2.1, 10.0.0.7, 10.1.2.3", [FRONT, SECOND], "192.0.2.1"),
        ("192.0.2.1, 10.1.2.3, 10.1.2.4", [FRONT, SECOND], "10.1.2.3"),
    ],
)
def test_the_last_entry_counts_and_what_a_named_proxy_vouches_for(
    chain, proxies, address
):
    assert seen(chain, proxies) == address


@given(st.text(max_size=200), st.ip_addresses())
def test_nothing_that_a_client_writes_changes_what_our_proxy_appends(said, address):
    mapped = getattr(address, "ipv4_mapped", None) or address
    assert seen(f"{said},{address}") == str(mapped)


@given(st.text(max_size=200), st.ip_addresses(v=4))
def test_nor_what_a_named_proxy_appends(said, address):
    expected = str(address)
    assert seen(f"{said},{address},10.0.0.7", [FRONT]) == expected


def test_the_addresses_of_one_ipv6_customer_are_one():
    assert counted("2001:db8::1") == counted("2001:db8::ffff:2")
    assert counted("2001:db8::1") != counted("2001:db8:0:1::1")
    assert counted("192.0.2.1") == "192.0.2.1"
