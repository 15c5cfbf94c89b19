"""Levels of rows: after what they refer to; cycles broken only at references that may be null; nothing forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from rehearse.reset.order import Link, order_rows

KEYS = [f"r{number}" for number in range(8)]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[Link]]:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True))
    links = draw(
        st.lists(
            st.builds(Link, st.sampled_from(KEYS), st.sampled_from(["A", "B"]), st.sampled_from(KEYS), st.booleans()),
            max_size=14,
        )
    )
    return keys, links


@given(graphs())
def test_each_row_once_and_after_all_that_it_waits_for(graph: tuple[list[str], list[Link]]) -> None:
    keys, links = graph
    ordered = order_rows(keys, links)
    placed = {key: number for number, level in enumerate(ordered.levels) for key in level}
    assert sorted([*placed, *ordered.stuck]) == sorted(keys)
    for link in links:
        if link.of in placed and link.to in keys and link.field not in ordered.deferred.get(link.of, ()):
            assert placed[link.to] < placed[link.of]


@given(graphs())
def test_only_loose_references_are_deferred_and_only_firm_circles_are_stuck(
    graph: tuple[list[str], list[Link]],
) -> None:
    keys, links = graph
    ordered = order_rows(keys, links)
    for key, fields in ordered.deferred.items():
        for field in fields:
            assert any(link.loose for link in links if (link.of, link.field) == (key, field))
    firm = [link for link in links if not link.loose and link.of in keys and link.to in keys]
    assert bool(ordered.stuck) == has_circle(keys, firm)


def has_circle(keys: list[str], links: list[Link]) -> bool:
    left = set(keys)
    while True:
        free = {key for key in left if not any(link.of == key and link.to in left for link in links)}
        if not free:
            return bool(left)
        left -= free


def test_a_chain_without_a_circle_defers_nothing() -> None:
    links = [Link("child", "Parent", "root", True), Link("leaf", "Parent", "child", True)]
    ordered = order_rows(["leaf", "root", "child"], links)
    assert ordered.levels == (("root",), ("child",), ("leaf",))
    assert not ordered.deferred


def test_a_row_that_points_to_itself_is_inserted_without_and_finished_later() -> None:
    ordered = order_rows(["one"], [Link("one", "Next", "one", True)])
    assert (ordered.levels, ordered.deferred) == ((("one",),), {"one": ("Next",)})
