"""The project file: what it may say, and each mistake in one line with its place."""

import time

import pytest

from hubyard.contract.errors import Invalid
from hubyard.contract.project import Project
from hubyard_hub.sources.project_file import read_project
from hubyard_hub.sources.yaml_text import LIMIT_BYTES


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", Project()),
        ("# nothing yet\n", Project()),
        ("name: flights\n", Project(name="flights")),
        ("name: Flüge ✈\ncompute: small\n", Project(name="Flüge ✈", compute="small")),
        ('name: "1"\n', Project(name="1")),
        ("name: 2026-11-28\n", Project(name="2026-11-28")),
        ("data: data/*.csv\n", Project(data=("data/*.csv",))),
        ("data:\n- a.csv\n- b.csv\n", Project(data=("a.csv", "b.csv"))),
    ],
)
def test_what_it_may_say(text, says):
    assert read_project(text.encode()) == says


BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n"
    for n in range(20)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name flights", "hubyard.yml:1: holds no settings: write `name: ...`."),
        ("- flights", "hubyard.yml:1: holds no settings: write `name: ...`."),
        ("name: a\nprice: 1\n", "hubyard.yml:2: price: is not known here: write one "),
        ("a: b\n", "hubyard.yml:1: a: is not known here: write one of name, compute, "),
        ("\nname: a\nname: b\n", "hubyard.yml:3: says 'name' twice: remove one."),
        ("name: [a]\n", "hubyard.yml:1: name cannot be used: write 1 to 128 char"),
        ("name: 7\n", "hubyard.yml:1: name cannot be used: write 1 to 128 char"),
        ("data: [a, [b]]\n", "hubyard.yml:1: data.1 cannot be used: "),
        ("name: !!python/object/apply:os.system [ls]", "name cannot be used: "),
        ("name: !!python/name:os.system x", "hubyard.yml:1: name: write a plain"),
        ("name: !!binary x", "hubyard.yml:1: name: write a plain value."),
        ("name: !!int x", "hubyard.yml:1: holds no number."),
        ("? [a]\n: b\n", "hubyard.yml:1: has a key that is no plain text."),
        ("compute: Big One\n", "hubyard.yml:1: compute cannot be used: write at most"),
        ("name: a\n  b: c\n", "hubyard.yml:2: is not YAML: mapping values"),
        ("name: *nobody\n", "hubyard.yml:1: is not YAML: found undefined alias"),
        ("name: a\n---\nname: b\n", "hubyard.yml:2: is not YAML: "),
        ("name: \x00", "is not YAML"),
        ("[" * 5000, "hubyard.yml:1: holds too many brackets within one another."),
        (BOMB, "hubyard.yml:1: uses an alias: write it out."),
        ("#" * (LIMIT_BYTES + 1), "hubyard.yml:1: is larger than 64 KiB"),
    ],
)
def test_mistakes_name_their_line(text, message):
    began = time.process_time()
    with pytest.raises(Invalid) as caught:
        read_project(text.encode())
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.field == "hubyard.yml"
    assert time.process_time() - began < 5


def test_what_is_no_text_at_all():
    with pytest.raises(Invalid, match="plain UTF-8"):
        read_project(b"name: \xff\xfe\xff")
