from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import shops
from core.errors import ConfigError, InputDataError


def test_unknown_shop_lists_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match=r"tiny, demo, large, online-retail, wands, .*, tables"
    ):
        shops.load("nowhere")


@pytest.mark.parametrize("name", ["tables", "wands", "chorus", "esci-small"])
def test_shop_of_files_without_a_path_says_what_to_pass(name: str) -> None:
    with pytest.raises(ConfigError, match=f"`{name}` needs .*--data"):
        shops.load(name)


def test_a_path_is_a_shop_of_ones_own_tables(tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match=r"shop\.yaml"):
        shops.load(str(tmp_path))


@pytest.mark.slow
def test_shops_import_no_tensorflow() -> None:
    code = "import shops, sys; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
