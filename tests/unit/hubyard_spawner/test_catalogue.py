from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubyard.contract import money
from hubyard.contract.errors import Forbidden, Invalid
from hubyard.contract.workload import Kind, Limits
from hubyard_spawner.catalogue import (
    Catalogue,
    CatalogueError,
    Idle,
    Profile,
    why_unavailable,
)
from hubyard_spawner.estimate import estimate, offer
from hubyard_spawner.live import LiveCatalogue

SHIPPED = Path(__file__).parents[3] / "hub_config" / "compute.toml"

SMALL = """
[[compute]]
name = "small"
cpu = 1
memory = "1 GiB"
price = 0.02
default_lifetime = "1h"
longest_lifetime = "2h"
"""


def write(tmp_path, text):
    path = tmp_path / "compute.toml"
    path.write_text(text)
    return path


def profile(**changes):
    base = {
        "name": "small",
        "cpu": 1,
        "memory": "1 GiB",
        "price": Decimal("0.02"),
        "default_lifetime": "1h",
        "longest_lifetime": "2h",
    }
    return Profile.model_validate({**base, **changes})


def test_shipped_catalogue_is_valid_and_priced_exactly():
    catalogue = Catalogue.load(SHIPPED)
    assert catalogue.currency == "USD"
    assert [p.name for p in catalogue.profiles] == ["small", "medium", "large"]
    assert catalogue.profiles[0].price == 20_000
    assert catalogue.profiles[0].memory == 2 * 2**30


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "compute: is missing"),
        ("currency = 'dollars'\n" + SMALL, 1, "currency"),
        (SMALL.replace("0.02", "-1"), 6, "price"),
        (SMALL.replace("0.02", "nan"), 6, "price"),
        (SMALL.replace("0.02", "0.0000001"), 6, "six decimal places"),
        (SMALL.replace("0.02", "true"), 6, "price"),
        (SMALL.replace('"1 GiB"', '"lots"'), 5, 'write a size such as "2 GiB"'),
        (SMALL.replace("cpu = 1", "cpu = 0"), 4, "cpu"),
        (SMALL.replace("cpu = 1", "cpu = inf"), 4, "cpu"),
        (SMALL.replace('"2h"', '"30m"'), 2, "longer than longest_lifetime"),
        (SMALL.replace('"1h"', '"soon"'), 7, "30m, 8h or 2d"),
        (SMALL.replace('"1h"', "3600"), 7, "write a duration"),
        (SMALL + "colour = 'red'\n", 9, "remove it"),
        (SMALL.replace('name = "small"\n', ""), 2, "name: is missing: add it"),
        (SMALL.replace('"small"', '"Small One"'), 3, "name"),
        (SMALL + SMALL, 11, "'small' is there twice"),
        ("currency = 5\n" + SMALL, 1, 'three capital letters such as "USD"'),
        ("colour = 1\n" + SMALL, 1, "colour: is not a setting that is known here"),
        ("compute = []", 1, "compute"),
        ("compute = 'small'", 1, "compute"),
        ("[compute]\nname = 'small'", 1, "compute"),
        ("compute = [5]", 1, "compute"),
        (SMALL.replace("0.02", "1e999999"), 6, "from 0 to 1,000,000,000"),
        (SMALL.replace("0.02", "inf"), 6, "from 0 to 1,000,000,000"),
        (SMALL.replace("0.02", "'free'"), 6, "is not an amount of money"),
        (SMALL.replace("0.02", "1979-05-27"), 6, "write a price per hour such as 0.05"),
        (SMALL.replace("0.02", "[0.02]"), 6, "write a price per hour such as 0.05"),
        (SMALL.replace("cpu = 1", "cpu = true"), 4, "a number of cores such as 1 or"),
        (SMALL.replace("cpu = 1", "cpu = '1'"), 4, "a number of cores such as 1 or"),
        (SMALL.replace("cpu = 1", "cpu = nan"), 4, "cpu"),
        (SMALL.replace("cpu = 1", "cpu = -1"), 4, "greater than 0"),
        (SMALL.replace("cpu = 1", "cpu = 1e400"), 4, "cpu"),
        (SMALL.replace("cpu = 1", "cpu = 1025"), 4, "1024"),
        (SMALL.replace('"1 GiB"', "1024"), 5, 'write a size such as "2 GiB"'),
        (SMALL.replace('"1 GiB"', '"1 MiB"'), 5, 'from "128 MiB"'),
        (SMALL.replace('"1 GiB"', '"-1 GiB"'), 5, 'write a size such as "2 GiB"'),
        (SMALL.replace("1 GiB", f"{'9' * 400} TiB"), 5, 'write a size such as "2 GiB"'),
        (SMALL + "gpu = 1.5", 9, "gpu"),
        (SMALL + "gpu = -1", 9, "gpu"),
        (SMALL + "gpu = true", 9, "gpu"),
        (SMALL.replace('"1h"', '"1s"'), 7, "write a duration from 1m to 366d"),
        (SMALL.replace('"2h"', '"400d"'), 8, "write a duration from 1m to 366d"),
        (SMALL.replace('"2h"', '"-2h"'), 8, "write one such as 30m, 8h or 2d"),
        (SMALL.replace('"small"', '""'), 3, "write at most 40 of a-z"),
        (SMALL.replace('"small"', f"'{'x' * 41}'"), 3, "write at most 40 of a-z"),
        (SMALL.replace('"small"', "5"), 3, "write at most 40 of a-z"),
        (SMALL + f"description = '{'x' * 201}'", 9, "description"),
        (SMALL + "groups = 'ml'", 9, "groups"),
        (SMALL + "groups = [1]", 9, "groups"),
        (SMALL + SMALL.replace("cpu = 1", "cpu = 0"), 12, "cpu"),
    ],
)
def test_a_mistake_names_file_line_and_remedy(tmp_path, text, line, words):
    path = write(tmp_path, text)
    with pytest.raises(CatalogueError) as caught:
        Catalogue.load(path)
    assert caught.value.message.startswith(f"{path}:{line}: ")
    assert words in caught.value.message
    assert "\n" not in caught.value.message


def test_what_is_not_toml_says_where(tmp_path):
    with pytest.raises(CatalogueError, match=r"not TOML: .*line 2"):
        Catalogue.load(write(tmp_path, "x = 1\ncompute = !"))


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\nx = 2",
        "x",
        "= 1",
        "[a",
        f"x = {'[' * 9999}",
        f"x = {'9' * 9999}",
        "x = 'a\n'",
    ],
)
def test_no_other_text_is_toml(tmp_path, text):
    with pytest.raises(CatalogueError, match="not TOML: ") as caught:
        Catalogue.load(write(tmp_path, text))
    assert "\n" not in caught.value.message


def test_what_is_no_file_or_no_text_is_one_line(tmp_path):
    latin = tmp_path / "latin.toml"
    latin.write_bytes(SMALL.replace("small", "klein-ö").encode("latin-1"))
    for path in (tmp_path / "nowhere.toml", tmp_path, latin):
        with pytest.raises(CatalogueError, match="cannot be read") as caught:
            Catalogue.load(path)
        assert "\n" not in caught.value.message


def test_groups_decide_who_may_use_what():
    everyone = profile()
    team = profile(name="gpu", groups=["ml"])
    catalogue = Catalogue("USD", (everyone, team))
    assert catalogue.allowed(set()) == (everyone,)
    assert catalogue.allowed({"ml"}) == (everyone, team)
    assert catalogue.choose(None, set()) is everyone
    with pytest.raises(Invalid, match="choose small"):
        catalogue.choose("gpu", set())
    with pytest.raises(Forbidden):
        Catalogue("USD", (team,)).choose(None, set())


def test_a_lifetime_is_at_most_the_longest():
    assert profile().lifetime(None) == 3600
    assert profile().lifetime(7200) == 7200
    with pytest.raises(Invalid, match="at most 2h"):
        profile().lifetime(7201)


def test_estimate_and_description_show_one_number():
    catalogue = Catalogue("USD", (profile(),))
    (shown,) = offer(catalogue, (), Limits.SOFT).compute
    before = estimate(catalogue, catalogue.profiles[0], 7200)
    assert before.total == shown.most == money.Money(micros=40_000, text="$0.04")
    assert before.most == shown.most
    assert shown.price.text == "$0.02"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cpu": 1000}, "needs 1000 cores"),
        ({"memory": "900 TiB"}, "GiB of memory"),
        ({"gpu": 1}, "GPU"),
        ({"ray_workers": 2, "ray_worker": "small"}, "Ray workers"),
    ],
)
def test_what_the_machine_lacks_is_said(changes, words):
    assert words in (why_unavailable(profile(**changes)) or "")
    assert why_unavailable(profile()) is None


@given(st.text(max_size=200))
def test_no_text_ends_in_anything_but_our_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(CatalogueError):
        Catalogue.load(path)


RETIRED = """
[[compute]]
name = "old"
cpu = 1
memory = "1 GiB"
price = 0.01
default_lifetime = "1h"
longest_lifetime = "9d"
successor = "small"
message = "It is quicker."
"""


def test_who_asks_for_a_retired_profile_gets_its_successor_and_is_told(tmp_path):
    older = RETIRED.replace("old", "older").replace('"small"', '"old"')
    catalogue = Catalogue.load(write(tmp_path, older + RETIRED + SMALL))
    assert [each.name for each in catalogue.allowed(())] == ["small"]
    for name in ("old", "older"):
        profile, seconds = catalogue.plan(name, (), 8 * 86_400)
        assert (profile.name, seconds) == ("small", 7200), "no longer than it may live"
        assert catalogue.notice(name) == (
            f"{name} is retired: you get small. It is quicker."
        )
    assert catalogue.notice("small") is None
    assert catalogue.notice("never-was") is None
    with pytest.raises(Invalid, match="at most 2h"):
        catalogue.plan("small", (), 8 * 86_400)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (RETIRED, 9, "successor: there is no compute called 'small'"),
        (SMALL + 'successor = "small"', 9, "successors comes back here"),
        (SMALL + "ray_workers = 2", 9, "add ray_worker"),
        (SMALL + 'ray_worker = "x"', 9, "there is no compute called 'x'"),
        ('[idle]\nworkspace = "soon"' + SMALL, 2, 'such as "1h", or "never"'),
        ('[idle]\nrun = "1h"' + SMALL, 2, "is not a setting"),
        ('[idle]\ncurrency = "USD"' + SMALL, 2, "move it above the first [table]"),
    ],
)
def test_what_cannot_be_between_profiles_names_its_line(tmp_path, text, line, words):
    with pytest.raises(CatalogueError) as refused:
        Catalogue.load(write(tmp_path, text))
    assert f"compute.toml:{line}: " in refused.value.message
    assert words in refused.value.message


def test_the_price_of_ray_workers_is_in_the_price(tmp_path):
    text = SMALL + SMALL.replace("small", "fleet")
    text += 'ray_worker = "small"\nray_workers = 3'
    catalogue = Catalogue.load(write(tmp_path, text))
    fleet = catalogue.named("fleet")
    assert estimate(catalogue, fleet, 3600).total.text == "$0.08"
    assert offer(catalogue, (), Limits.SOFT).compute[1].price.text == "$0.08"


def test_how_long_each_kind_may_idle(tmp_path):
    text = '[idle]\nworkspace = "never"\napp = "30m"' + SMALL
    idle = Catalogue.load(write(tmp_path, text)).idle
    assert [idle.limit(kind) for kind in Kind] == [None, None, None, 1800]
    assert [Idle().limit(kind) for kind in Kind] == [3600, None, None, None]


def test_an_edit_counts_at_once_and_a_bad_one_changes_nothing(tmp_path, caplog):
    path = write(tmp_path, SMALL)
    live = LiveCatalogue(path)
    assert live() is live()
    path.write_text(SMALL.replace("0.02", "0.030"))
    assert live().profiles[0].price == 30_000
    path.write_text(SMALL.replace("0.02", "cheap"))
    assert live().profiles[0].price == 30_000
    assert "compute.toml:6: " in (live.fault or "") or "not TOML" in (live.fault or "")
    assert live.fault in caplog.text
    path.unlink()
    assert live().profiles[0].price == 30_000
    assert "cannot be read" in (live.fault or "")
    path.write_text(SMALL)
    assert live().profiles[0].price == 20_000
    assert live.fault is None
