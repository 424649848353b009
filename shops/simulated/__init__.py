"""A shop that is made up, with people whose true wishes are known."""

from shops.simulated.shop import simulate
from shops.simulated.world import World

__all__ = ["World", "simulate"]
