"""Titles and descriptions of the simulated items."""

from __future__ import annotations

from shops.simulated import vocabulary
from shops.simulated.catalogue import Catalogue
from shops.simulated.vocabulary import NUM_STYLES


def titles(catalogue: Catalogue) -> list[str]:
    """[n] `Nordal Glass Bottle 500 ml, Black` or `Nordal 玻璃 保温杯 500毫升 黑色`."""
    return [_title(catalogue, row) for row in range(catalogue.num_items)]


def descriptions(catalogue: Catalogue) -> list[str]:
    """[n] one or two sentences in the title's language."""
    return [_description(catalogue, row) for row in range(catalogue.num_items)]


def _words(catalogue: Catalogue, row: int) -> tuple[str, str, str, str, str]:
    """Brand, style, noun, size, colour in the item's language."""
    chinese = int(catalogue.chinese[row])
    leaf = catalogue.leaves[catalogue.leaf[row]]
    nouns = leaf.nouns_zh if chinese else leaf.nouns
    # one item in five is called by a synonym
    noun = nouns[1 if catalogue.item_ids[row][-1] in "37" else 0]
    return (
        vocabulary.BRANDS[catalogue.brand[row]],
        leaf.styles[catalogue.group[row] % NUM_STYLES][chinese],
        noun,
        leaf.sizes[catalogue.size[row]][chinese],
        vocabulary.COLOURS[catalogue.colour[row]][chinese],
    )


def _title(catalogue: Catalogue, row: int) -> str:
    brand, style, noun, size, colour = _words(catalogue, row)
    if catalogue.chinese[row]:
        return f"{brand} {style} {noun} {size} {colour}"
    words = " ".join(word[:1].upper() + word[1:] for word in noun.split())
    return f"{brand} {style} {words} {size}, {colour}"


def _description(catalogue: Catalogue, row: int) -> str:
    brand, style, noun, size, colour = _words(catalogue, row)
    leaf = catalogue.leaves[catalogue.leaf[row]]
    lasting = leaf.period_days == 0
    if catalogue.chinese[row]:
        department = vocabulary.DEPARTMENTS_ZH[leaf.department]
        end = "经久耐用。" if lasting else f"约可使用{leaf.period_days}天。"
        return (
            f"{brand}{style}{noun}，规格{size}，{colour}，适合{department}使用。{end}"
        )
    end = "Made to last." if lasting else f"Lasts about {leaf.period_days} days."
    return (
        f"{style} {noun} by {brand} in {colour.lower()}, {size}, "
        f"for {leaf.department.lower()}. {end}"
    )
