"""Histograms and flame graphs: text and pictures of what programs counted."""

from __future__ import annotations

from xml.dom.minidom import parseString

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purebpf import FormatError, Histogram, flame_graph

TEXT = """\
     0  1  ##########
     1  0
 2 … 3  4  ########################################
 4 … 7  0
8 … 15  2  ####################"""


def test_its_text() -> None:
    assert str(Histogram({0: 1, 2: 4, 4: 2})) == TEXT
    assert str(Histogram([], 10)) == "" and repr(Histogram([0, 2])) == "<Histogram of 2 numbers in 1 slots>"
    assert str(Histogram({-1: 1, 1: 1}, 10)).splitlines() == [
        "-10 … -1  1  ########################################", "   0 … 9  0", " 10 … 19  1  ########################################"]


@given(st.lists(st.integers(0, 1 << 64), min_size=1), st.sampled_from(["log2", 1, 7, 1000]))
def test_every_number_lies_in_its_slot(numbers: list[int], scale: int) -> None:
    counts: dict[int, int] = {}
    if scale != "log2":
        numbers = [n % 5000 for n in numbers]
    for number in numbers:
        slot = number.bit_length() if scale == "log2" else number // scale
        counts[slot] = counts.get(slot, 0) + 1
        low, high = Histogram({}, scale).bounds(slot)
        assert low <= number <= high
    made = Histogram(counts, scale)
    bars = list(made)
    assert made.total == len(numbers) == sum(bar.hits for bar in bars) and len(made) == len(bars)
    assert all(one.high + 1 == two.low for one, two in zip(bars, bars[1:]))
    for percent in (0, 50, 99, 100):
        at_most = made.percentile(percent)
        assert sum(n <= at_most for n in numbers) >= len(numbers) * percent / 100


def test_mistakes() -> None:
    for scale in (0, -1, "linear"):
        with pytest.raises(FormatError, match="'log2', or the width"):
            Histogram({}, scale)  # type: ignore[arg-type]
    with pytest.raises(FormatError, match="fewer than 0 bits"):
        Histogram({-1: 3})
    with pytest.raises(ValueError, match="no numbers"):
        Histogram({}).percentile(50)
    with pytest.raises(ValueError, match="no percentage"):
        Histogram({1: 1}).percentile(101)


def test_pictures_are_xml_with_every_bar() -> None:
    svg = parseString(Histogram({1: 3, 3: 1}).svg("a <b> & c"))
    assert len(svg.getElementsByTagName("rect")) == 3
    assert "a <b> & c" in [node.firstChild.data for node in svg.getElementsByTagName("text") if node.firstChild]
    parseString(Histogram({}).svg())


def test_a_flame_graph_is_as_wide_as_its_samples() -> None:
    folded = "main;run;read<int> 3\nmain;run;write 1\nmain;idle 4\n"
    svg = parseString(flame_graph(folded, "x"))
    widths = {node.getElementsByTagName("title")[0].firstChild.data.split(":")[0]:  # type: ignore[union-attr]
              float(node.getElementsByTagName("rect")[0].getAttribute("width")) for node in svg.getElementsByTagName("g")}
    assert set(widths) == {"all", "main", "run", "read<int>", "write", "idle"}
    assert widths["main"] == widths["all"] and widths["run"] == widths["idle"] == widths["main"] / 2
    assert abs(widths["write"] + widths["read<int>"] - widths["run"]) < 0.2
    parseString(flame_graph(""))
    deep = ";".join(f"f{n}" for n in range(3000)) + " 1\n"
    assert flame_graph(deep).count("<rect") == 3001
    with pytest.raises(ValueError, match="no folded stack"):
        flame_graph("main;run\n")
