"""SHOP is a name or a path, the same for every command."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from core.errors import ConfigError
from pipeline.cli import main
from pipeline.shop_argument import ShopArgument, shop_argument, shop_name


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    folder = tmp_path / "my-shop"
    folder.mkdir()
    (folder / "shop.yaml").write_text("items: items.csv\nevents: events.csv\n")
    return folder


def test_names_and_paths(tables: Path, tmp_path: Path) -> None:
    assert shop_argument("demo") == ShopArgument("demo", "demo", None)
    assert shop_argument("chorus", tmp_path) == ShopArgument(
        "chorus", "chorus", tmp_path.resolve()
    )
    for path in (tables, tables / "shop.yaml"):
        assert shop_argument(str(path)) == ("my-shop", "tables", path.resolve())
        assert shop_name(str(path)) == "my-shop"
    assert shop_name("my-shop") == "my-shop"


def test_what_is_neither_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    typo = tmp_path / "foldr"
    ran = CliRunner().invoke(main, ["run", str(typo), "--home", str(tmp_path / "h")])

    assert ran.exit_code == ConfigError.exit_code
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match="online-retail"):
        shop_argument("onlineretail")


def test_data_beside_a_path_is_refused(tables: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="leave `--data` out"):
        shop_argument(str(tables), tmp_path)


def test_the_report_of_a_path_is_found(tables: Path, tmp_path: Path) -> None:
    page = tmp_path / "home" / "my-shop" / "report" / "index.html"
    page.parent.mkdir(parents=True)
    page.touch()

    ran = CliRunner().invoke(
        main, ["report", str(tables), "--home", str(tmp_path / "home")]
    )

    assert ran.output.strip() == str(page.resolve())
