"""Versions of variables against copies of them: any tree of versions, walked and joined in any order."""

from __future__ import annotations

from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from purebpf.ir.function import Const
from purebpf.lower.env import Env, Version, Words

Model = dict[Any, Words]
NAMES = "abcde"
STEPS = st.lists(st.tuples(st.integers(0, 30), st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 3)), max_size=3)), max_size=25)
WORDS = [(Const(i),) for i in range(4)]


def grown(steps: list[tuple[int, list[tuple[str, int]]]]) -> tuple[Env, list[Version], list[Model], list[int]]:
    """Versions, what a copy says of each, and which each comes from."""
    env = Env()
    versions, models, ups = [env.version()], [Model()], [0]
    for at, writes in steps:
        up = at % len(versions)
        env.go(versions[up])
        model = dict(models[up])
        for name, i in writes:
            env[cast(Any, name)] = model[name] = WORDS[i]
        versions.append(env.version())
        models.append(model)
        ups.append(up)
    return env, versions, models, ups


@given(STEPS, st.lists(st.integers(0, 30)))
def test_go(steps: list[tuple[int, list[tuple[str, int]]]], walk: list[int]) -> None:
    env, versions, models, _ = grown(steps)
    for at in walk:
        env.go(versions[at % len(versions)])
        assert env == models[at % len(versions)]


@given(STEPS, st.lists(st.integers(0, 30), min_size=1, max_size=6))
def test_meet(steps: list[tuple[int, list[tuple[str, int]]]], arrivals: list[int]) -> None:
    env, versions, models, ups = grown(steps)
    some = [at % len(versions) for at in arrivals]

    def above(i: int) -> list[int]:
        return [i] if ups[i] == i else [i, *above(ups[i])]

    top = max(set.intersection(*(set(above(i)) for i in some)))  # a version is younger than those it comes from
    columns = env.meet([versions[i] for i in some])
    assert env == models[top]
    for name in set().union(*(models[i] for i in some)):
        words = [models[i].get(name) for i in some]
        if name in columns:
            assert columns[name] == words
        else:
            assert None in words or all(w is models[top][name] for w in words)
