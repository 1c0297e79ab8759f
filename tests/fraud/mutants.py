"""Every wrong header that the rules can express, by the least that can be wrong in it."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from tests.fraud.mutant import Mutant
from tests.fraud.mutants_headers import header_mutants
from tests.fraud.mutants_leaves import leaf_mutants
from tests.fraud.mutants_nodes import node_mutants
from tests.fraud.mutants_rows import row_mutants
from tests.fraud.mutants_sessions import session_mutants

MOST_DISGUISED = 12
"""Of each class behind another file or without new roots: these fall as the class itself does, after demands."""


@cache
def mutants() -> tuple[Mutant, ...]:
    """Return all, made once; of disguised ones some, evenly taken from each class."""
    groups: defaultdict[str, list[Mutant]] = defaultdict(list)
    for mutant in all_mutants():
        groups[mutant.group].append(mutant)
    return tuple(mutant for own in groups.values() for mutant in _thinned(own))


def _thinned(own: list[Mutant]) -> list[Mutant]:
    if not own[0].is_disguised or len(own) <= MOST_DISGUISED:
        return own
    return [own[number * len(own) // MOST_DISGUISED] for number in range(MOST_DISGUISED)]


def all_mutants() -> Iterator[Mutant]:
    """Yield each once: some lies come to the same header."""
    seen = set()
    for mutants in (header_mutants, row_mutants, session_mutants, leaf_mutants, node_mutants):
        for mutant in mutants():
            key = (mutant.header, mutant.published, mutant.answer.__name__, mutant.acknowledged)
            if key not in seen:
                seen.add(key)
                yield mutant
