"""The documentation says what there is: each command, magic, setting, call and link."""

import argparse
import ast
import json
import re

import pytest
import yaml
from IPython.core.interactiveshell import InteractiveShell

import hubyard
from hubyard.cli import parser
from hubyard_spawner.catalogue import Profile, _File
from support.hub import REPOSITORY
from support.pages import DOCS, Page, docs, pages

ROOMS = ("kernels", "spawner", "hub_config/hubyard_hub", "lab_extension/hubyard_lab")
SHARED = "Options that many take"
CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?\s]*)[^`]*`")
VARIABLE = re.compile(r"HUBYARD_[A-Z_]+[A-Z]")


def page(name):
    return Page(DOCS / name)


# -- the command -----------------------------------------------------------------------


def commands():
    action = next(
        each
        for each in parser()._actions
        if isinstance(each, argparse._SubParsersAction)
    )
    return action.choices


def options(command):
    return {
        option
        for action in command._actions
        if not isinstance(action, argparse._HelpAction)
        for option in action.option_strings
    }


def test_each_command_has_its_heading_and_no_other_is_there():
    headings = set(page("cli.md").sections())
    assert headings == {"The command", SHARED, *commands()}


@pytest.mark.parametrize("name", commands())
def test_each_option_of_a_command_is_told(name):
    sections = page("cli.md").sections()
    told = sections[name] + sections[SHARED]
    assert [o for o in options(commands()[name]) if f"`{o}" not in told] == []


def test_no_option_is_told_that_no_command_has():
    known = {o for command in commands().values() for o in options(command)}
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page("cli.md").text))
    assert told <= known | {"--help", "--version"}


# -- the magics ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def magics():
    """Each magic's heading and the options that it takes."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    before = set(shell.magics_manager.magics["line"])
    hubyard.load_ipython_extension(shell)
    lines = shell.magics_manager.magics["line"]
    found = {f"%{name}": options(lines[name].parser) for name in {*lines} - before}
    found["%%track"] = found["%track"]
    hubyard.unload_ipython_extension(shell)
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()
    return found


def test_each_magic_has_its_heading_and_no_other_is_there(magics):
    headings = set(page("magics.md").sections())
    assert headings == {"Magics", *magics}


def test_each_option_of_a_magic_is_told(magics):
    sections = page("magics.md").sections()
    for name, taken in magics.items():
        told = sections[name] + (sections["%%track"] if name == "%track" else "")
        assert [o for o in taken if f"`{o}`" not in told] == [], name


# -- the catalogue ---------------------------------------------------------------------


def test_each_field_of_the_catalogue_has_its_row():
    section = page("compute-and-cost.md").sections()["The catalogue"]
    told = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    known = {*Profile.model_fields, *_File.model_fields} - {"compute"}
    assert set(told) == known


def test_the_catalogue_that_is_shown_can_be_used(tmp_path):
    from hubyard_spawner.catalogue import Catalogue

    (shown,) = (b for b in page("compute-and-cost.md").blocks() if b.kind == "toml")
    file = tmp_path / "compute.toml"
    file.write_text(shown.text)
    assert [p.name for p in Catalogue.load(file).profiles] == ["small", "big", "large"]


# -- HTTP and the environment ----------------------------------------------------------


def plain(path):
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_the_calls_that_are_told_are_those_that_there_are():
    openapi = json.loads((REPOSITORY / "lab_extension/openapi.json").read_text())
    there = {
        (method.upper(), plain(path.removeprefix("/api")))
        for path, methods in openapi["paths"].items()
        for method in methods
    }
    told = {(m, plain(path)) for m, path in CALL.findall(page("internals.md").text)}
    assert told == there


def test_the_labs_own_calls_are_told():
    from jupyter_server.serverapp import ServerApp
    from jupyter_server.utils import url_path_join
    from tornado.web import Application

    from hubyard_lab.activity import Activity
    from hubyard_lab.handlers import add_handlers

    web_app = Application(base_url="/")
    add_handlers(web_app, Activity(ServerApp()))
    doors = [
        rule.matcher.regex.pattern
        for router in web_app.wildcard_router.rules + web_app.default_router.rules
        for rule in getattr(router.target, "rules", [])
    ]
    text = page("internals.md").text
    assert doors
    for door in doors:
        assert url_path_join("/", door).strip("/$").partition("(")[0] in text, door


def constants(file):
    """The whole strings of a file: names of variables are among them."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {node.value for node in nodes if isinstance(node.value, str)}


def test_each_variable_of_ours_is_told():
    files = [file for room in ROOMS for file in (REPOSITORY / room).rglob("*.py")]
    named = {
        text
        for file in files
        if "node_modules" not in file.parts
        for text in constants(file)
        if VARIABLE.fullmatch(text)
    }
    assert {"HUBYARD_KIND", "HUBYARD_STATE", "HUBYARD_TOKEN"} <= named
    assert [n for n in sorted(named) if f"`{n}`" not in page("internals.md").text] == []


def test_each_variable_that_the_spawner_sets_is_told():
    names = {
        text
        for text in constants(REPOSITORY / "spawner/hubyard_spawner/local/spawner.py")
        if re.fullmatch(r"[A-Z]+(_[A-Z]+)*", text)
    }
    kept_of_the_hub = {"LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    assert "MLFLOW_TRACKING_URI" in names
    told = page("internals.md").text
    assert [n for n in sorted(names - kept_of_the_hub) if f"`{n}`" not in told] == []


# -- links and targets -----------------------------------------------------------------


@pytest.mark.parametrize("each", pages(), ids=lambda each: each.name)
def test_each_link_leads_somewhere(each):
    for link in each.links():
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (each.path.parent / name).resolve() if name else each.path
        assert target.is_relative_to(REPOSITORY), link
        assert target.is_file(), link
        if anchor:
            assert anchor in Page(target).anchors(), link


def test_each_guide_is_in_the_contents_and_in_the_readme():
    written = {file.name for file in DOCS.glob("*.md")}
    assert {each.path.name for each in docs()} == written
    linked = {link.removeprefix("docs/") for link in pages()[0].links()}
    assert written - {"README.md"} <= linked


def test_each_make_target_that_is_named_exists():
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    said = "\n".join(each.text for each in pages())
    named = set(re.findall(r"(?:\$ |`)make ([a-z][a-z-]*)", said))
    assert {"up", "test"} <= named
    assert named <= targets


def test_no_block_is_of_a_kind_that_no_test_knows():
    kinds = {block.kind for each in pages() for block in each.blocks()}
    assert kinds <= {"console", "ipython", "python", "toml", "yaml"}


def test_a_pipeline_that_is_shown_is_the_examples():
    example = REPOSITORY / "examples" / "flights" / "pipelines" / "nightly.yml"
    wanted = yaml.safe_load(example.read_text())
    shown = [b.text for each in pages() for b in each.blocks() if b.kind == "yaml"]
    assert [yaml.safe_load(text) for text in shown] == [wanted]
