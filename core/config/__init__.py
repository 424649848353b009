"""All settings: one frozen dataclass per concern, nested in `SoukConfig`."""

from core.config.base import Config
from core.config.shop import ShopConfig
from core.config.splits import SplitConfig

__all__ = ["Config", "ShopConfig", "SplitConfig"]
