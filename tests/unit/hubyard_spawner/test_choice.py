"""What a person gets who chooses nothing, and one to whom nothing is offered."""

import pytest

from hubyard.contract.errors import Forbidden
from hubyard.contract.workload import ServerName
from hubyard_spawner import options
from hubyard_spawner.catalogue import Catalogue

VIPS_ONLY = """
[[compute]]
name = "small"
cpu = 1
memory = "256 MiB"
price = "0.36"
default_lifetime = "1h"
longest_lifetime = "2h"
groups = ["vips"]
"""


@pytest.fixture
def catalogue(tmp_path):
    file = tmp_path / "compute.toml"
    file.write_text(VIPS_ONLY)
    return Catalogue.load(file)


def test_an_empty_form_is_a_workspace_of_the_first_compute(catalogue):
    posted = options.from_form({"_xsrf": ["2|x"], "compute": [], "hours": [""]})
    wish = options.parse(posted, ServerName.parse(""))
    assert (wish.kind, wish.compute, wish.lifetime_s) == ("workspace", None, None)
    assert catalogue.choose(wish.compute, {"vips"}).name == "small"


@pytest.mark.parametrize("name", [None, "small"])
def test_whoever_is_offered_nothing_is_sent_to_the_administrator(catalogue, name):
    with pytest.raises(Forbidden, match="ask your administrator"):
        catalogue.choose(name, {"staff"})
