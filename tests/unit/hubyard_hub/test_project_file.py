"""The project file: what it may say, and each mistake in one line with its place."""

import time

import pytest

from hubyard.contract.errors import Invalid
from hubyard.contract.project import Project
from hubyard_hub.project_file import LIMIT_BYTES, read_project


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", Project()),
        ("# nothing yet\n", Project()),
        ("name: flights\n", Project(name="flights")),
        ("name: Flüge ✈\ncompute: small\n", Project(name="Flüge ✈", compute="small")),
        ('name: "1"\n', Project(name="1")),
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
        ("name: a\nprice: 1\n", "hubyard.yml:2: price: write a text."),
        ("a: b\n", "hubyard.yml:1: a: is not known here: write one of name, compute."),
        ("\nname: a\nname: b\n", "hubyard.yml:3: says 'name' twice: remove one."),
        ("name: [a]\n", "hubyard.yml:1: name: write a text."),
        ("name: !!python/object/apply:os.system [ls]", "name: write a text."),
        ("name: !!python/name:os.system x", "name: write a text."),
        ("name: null\n", "hubyard.yml:1: name: write a text."),
        ("compute: Big One\n", "hubyard.yml:1: compute: write at most 40 of a-z"),
        ("name: a\n  b: c\n", "hubyard.yml:2: is not YAML: mapping values"),
        ("name: *nobody\n", "hubyard.yml:1: is not YAML: found undefined alias"),
        ("name: a\n---\nname: b\n", "hubyard.yml:2: is not YAML: "),
        ("name: \x00", "is not YAML"),
        ("[" * 5000, "hubyard.yml:1: holds too many brackets: write plain texts."),
        (BOMB, "hubyard.yml:1: a: write a text."),
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
