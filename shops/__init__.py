"""A source becomes the canonical tables."""

from shops.registry import NAMES, NEED_DATA, TABLES, load, own_name, sources
from shops.shop import Shop, Tables, TrueWorld
from shops.storage import read_source, read_tables, write_tables

__all__ = [
    "NAMES",
    "NEED_DATA",
    "TABLES",
    "Shop",
    "Tables",
    "TrueWorld",
    "load",
    "own_name",
    "read_source",
    "read_tables",
    "sources",
    "write_tables",
]
