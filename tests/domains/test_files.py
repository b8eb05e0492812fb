"""What is wrong with a domain is said before anything runs, by its key."""

import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from azr.config import dump_config, load_config, resolve
from azr.config.domain_files import find, read
from azr.errors import ConfigError, DomainError

Make = Callable[..., Path]


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("", "name"),
        ('name = "shop"', "at least one kind"),
        ('name = "python"\nkinds = ["deduction"]', "name of plain Python"),
        ('name = "Shop"\nkinds = ["deduction"]', "name = 'Shop'"),
        ('name = "shop"\nkinds = ["deduktion"]', "kinds.0 = 'deduktion'"),
        ('name = "shop"\nkind = ["deduction"]', "unknown key kind: did you mean kinds"),
        ('name = "shop"\nkinds = ["deduction"]\n[verifyer]\nfile = "v.py"', "did you mean verifier"),
        ('name = "shop"\nkinds = ["deduction"]\n[verifier]\nfiel = "v.py"', "did you mean file"),
        (
            'name = "shop"\nkinds = ["deduction"]\n[prompts.induction]\npropose = "x"',
            "induction is no kind of this domain",
        ),
        ('name = "shop"\nkinds = ["deduction"]\n[verifier]\nfile = "v.py"\nkinds = ["rule"]', "rule is no kind"),
        ('name = "shop"\nkinds = ["deduction"]\n[new_kinds]\ndeduction = "k.py:K"', "each name once"),
        ('name = "shop"\nkinds = ["deduction"]\n[types.P]\ntype = "lib:P"\nencode = "lib:e"', "lib is no module"),
        ("name = ", "cannot read"),
    ],
)
def test_a_wrong_domain_toml_is_named_by_its_key(tmp_path: Path, toml: str, message: str) -> None:
    (tmp_path / "domain.toml").write_text(toml, "utf-8")
    with pytest.raises(DomainError, match=message):
        read(tmp_path)


def test_a_folder_without_a_domain_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="azr domain new"):
        find(str(tmp_path), "")


def test_a_domain_that_is_not_installed_says_which_are(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DomainError, match="no domain called 'nowhere'"):
        find("", "nowhere")


def test_an_installed_package_is_found_by_its_entry_point(
    make_folder: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(name="shop")
    (folder / "__init__.py").write_text("raise RuntimeError('finding a domain runs none of it')", "utf-8")
    about = tmp_path / "shop_domain-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-domain\nVersion: 1.0\n", "utf-8")
    (about / "entry_points.txt").write_text("[azr.domains]\nshop = shop\n", "utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert "shop" in {entry.name for entry in metadata.entry_points(group="azr.domains")}
    assert find("", "shop") == folder
    config = resolve({}, ['domains=[{name="shop"}]'])
    assert config.tasks.kinds == ("shop.deduction", "shop.abduction")


def test_files_outside_of_the_folder_are_refused(make_folder: Make, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x", "utf-8")
    domain = read(make_folder())
    with pytest.raises(DomainError, match="outside"):
        domain.text("../secret.txt", "seeds")


def test_paths_are_relative_to_the_config_and_kinds_are_filled_in(make_folder: Make, tmp_path: Path) -> None:
    folder = make_folder()
    path = folder / "train.toml"
    path.write_text('[[domains]]\npath = "."\n', "utf-8")
    config = load_config(path)
    assert config.tasks.kinds == ("shop.deduction", "shop.abduction")
    assert config.domains[0].path == str(folder) and config.domains[0].name == "shop"
    written = tmp_path / "config.toml"
    written.write_text(dump_config(config), "utf-8")
    assert load_config(written) == config


def test_a_run_does_not_go_on_with_a_changed_domain(make_folder: Make, tmp_path: Path) -> None:
    folder = make_folder()
    written = tmp_path / "config.toml"
    written.write_text(dump_config(resolve({}, [f'domains=[{{path="{folder}"}}]'])), "utf-8")
    (folder / "README.md").write_text("not part of it", "utf-8")
    load_config(written)
    (folder / "prices.py").write_text("def tax(cents):\n    return 0\n", "utf-8")
    with pytest.raises(DomainError, match="has changed since the run began"):
        load_config(written)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (['domains=[{path="%s"}]', 'tasks.kinds=["shop.rule"]'], "no domain of this run has shop.rule"),
        (['domains=[{path="%s"}]', 'tasks.kinds=["deduction"]'], "none is of the domain shop"),
        (['domains=[{path="%s", weight=0.0}]'], "nothing is trained"),
        (
            ['domains=[{path="%s", weight=0.0}, {name="python"}]', 'tasks.kinds=["deduction", "shop.deduction"]'],
            "cannot be trained",
        ),
        (['domains=[{path="%s"}, {path="%s"}]'], "is listed more than once"),
        (['domains=[{path="%s", name="other"}]'], "is called 'shop', not 'other'"),
        (["domains=[{weight=2.0}]"], "a path or a name"),
        (['domains=[{path="%s", wight=2.0}]'], "did you mean weight"),
        (['tasks.kinds=["rule"]'], "known are deduction"),
    ],
)
def test_a_mixture_that_cannot_be_meant_is_refused(make_folder: Make, overrides: list[str], message: str) -> None:
    folder = str(make_folder())
    with pytest.raises(ConfigError, match=message):
        resolve({}, [override.replace("%s", folder) for override in overrides])
