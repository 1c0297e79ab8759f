"""docs/fraud-proofs.md: how each class of mutants falls."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from tests.fraud.game import Fall, play
from tests.fraud.mutant import Mutant
from tests.fraud.mutants import MOST_DISGUISED, mutants

INTRODUCTION = """\
# What kills which wrong header

Each line is a class of wrong headers, made from one honest chain of epochs by `tests/fraud`: all that can be wrong by
the least, in every field, leaf, node and count. Each mutant is committed on a real chain, and the first transaction
that `streamrp2p.fraud.find_frauds` gives from public data is sent: it voids the header, half of the bond is the
challenger's, the rest is burned, and the honest header can be committed in its place. The test asserts this page.

- Unless it says otherwise, the liar recomputes all that follows from its lie, and publishes the file that fits it.
- **Behind another file**: the same header, but the file that is published is the honest epoch's. The liar answers
  every demand that it can answer.
- **Roots not recomputed**: the file has the lie, but the header's trees are the honest ones. The liar does not answer.
- **Demands** are those that were made on the way, an unanswered one included. `expire` means that nobody answered
  the last one: in most classes nobody could have.

A proof by itself takes one transaction; with demands it takes as many more, and an unanswered one `responseSeconds`.
Of a class in disguise (the second and third kind) at most {most} mutants are run, evenly taken.
"""

NOT_FRAUD = """\

## What no proof reaches, and why that is no fraud

- **`dataHash` alone is wrong**, while every leaf is public and leads to the header's roots: nobody's pay depends on
  it. The file's preface (chain, book, epoch, parent) and its rejections are in no tree, so this holds for them too.
- **Roots not recomputed, but the liar answers**: the header's trees are the honest ones, and the answers show them.
  Such a header pays as the honest one does.
- **A record that nobody acknowledged is left out**: the poster promised nothing. A node that is refused an
  acknowledgement stops serving.
- **A wrong `epoch`, or a `parent` that is wrong in its first 28 bytes**: `commit` refuses it.

This page is generated from the code.
"""


def table() -> str:
    """Return the page, by the pure finder alone."""
    falls = defaultdict(list)
    for mutant in mutants():
        falls[mutant.group].append(fall_of(mutant))
    header = "\n| wrong | mutants | killed by | demands |\n|---|---|---|---|\n"
    rows = "".join(row(group, own) for group, own in falls.items())
    total = sum(map(len, falls.values()))
    introduction = INTRODUCTION.format(most=MOST_DISGUISED)
    summary = f"\n{total} mutants in {len(falls)} classes.\n"
    return f"{introduction}{summary}{header}{rows}{NOT_FRAUD}"


def fall_of(mutant: Mutant) -> Fall:
    """Return how a mutant falls."""
    fall = play(mutant)
    if fall is None:
        raise AssertionError(f"nothing is found in {mutant.group}, {mutant.name}")
    return fall


def row(group: str, falls: Iterable[Fall]) -> str:
    """Return a class's line."""
    own = list(falls)
    killers = Counter(f"{fall.proof}: `{fall.function}`" for fall in own).most_common()
    killed_by = ", ".join(
        f"{name} {number}" if len(killers) > 1 else name for name, number in killers
    )
    demands = sorted({fall.demands for fall in own})
    shown = str(demands[0]) if len(demands) == 1 else f"{demands[0]} to {demands[-1]}"
    return f"| {group} | {len(own)} | {killed_by} | {shown} |\n"
