"""A source becomes the canonical tables."""

from shops.registry import NAMES, TABLES, load
from shops.shop import Shop, Tables, TrueWorld
from shops.storage import read_tables, write_tables

__all__ = [
    "NAMES",
    "TABLES",
    "Shop",
    "Tables",
    "TrueWorld",
    "load",
    "read_tables",
    "write_tables",
]
