from pipeline.local.order import Order


def test_the_head_of_the_longest_chain_starts_first() -> None:
    # side and long wait for nothing; three nodes wait for long, one after the other.
    order = Order({"side": [], "long": [], "b": ["long"], "c": ["b"], "d": ["c"]})
    assert [order.next(), order.next(), order.next()] == ["long", "side", None]
    order.finished("long")
    assert order.next() == "b"
    assert order.next() is None


def test_of_equal_chains_the_first_listed_starts_first() -> None:
    order = Order({"a": [], "b": [], "c": ["a", "b"]})
    assert [order.next(), order.next(), order.next()] == ["a", "b", None]
