"""Trimming what two profiles share byte by byte changes nothing of what their comparison says."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.baseline.canonical_xml import NAMESPACE, compare_elements, parse_xml, trim_equal

ENTRIES = st.dictionaries(st.sampled_from(["A.B", "A.C", "A.D"]), st.sampled_from(["true", "false"]), max_size=3)
PAGES = st.dictionaries(st.sampled_from(["Home", "Setup"]), st.sampled_from(["true", "false"]), max_size=2)


def profile(fields: dict[str, str], pages: dict[str, str], backwards: bool) -> bytes:
    entries = [
        f"<fieldPermissions><editable>{value}</editable><field>{name}</field></fieldPermissions>"
        for name, value in fields.items()
    ]
    entries += [
        f"<pageAccesses>\n  <apexPage>{name}</apexPage>\n  <enabled>{value}</enabled>\n</pageAccesses>"
        for name, value in pages.items()
    ]
    body = "\n".join(entries[::-1] if backwards else entries)
    return f'<Profile xmlns="{NAMESPACE}">\n{body}\n<custom>true</custom></Profile>'.encode()


@given(ENTRIES, ENTRIES, PAGES, PAGES, st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_trimmed_comparison_is_the_whole_one(
    old: dict[str, str], new: dict[str, str], shown: dict[str, str], showing: dict[str, str], backwards: bool
) -> None:
    sides = profile(old, shown, False), profile(new, showing, backwards)
    whole = compare_elements(*map(parse_xml, sides))
    assert compare_elements(*map(parse_xml, trim_equal(*sides))) == whole
    assert (not whole) == ((old, shown) == (new, showing))
