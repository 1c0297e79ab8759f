"""What the run waits for before it judges."""

from types import SimpleNamespace
from typing import Any, cast

from streamrp2p_demo.story import Story


def test_an_epoch_counts_as_final_only_once_the_coordinator_that_proves_its_claims_has_seen_it() -> (
    None
):
    finalised = iter((0, 1, 1, 1))
    states = iter(("committed", "committed", "final"))
    answers: list[bool | None] = []

    def wait_for(_what: str, found: Any, _timeout_seconds: float) -> None:  # noqa: ANN401 - as the stack's
        while not answers or answers[-1] is None:
            answers.append(found())

    story = object.__new__(Story)
    story.stack = cast(
        "Any", SimpleNamespace(wait_for=wait_for, grid=SimpleNamespace(challenge_seconds=8))
    )

    story.clock = cast("Any", SimpleNamespace(intake_end=lambda _: 0))
    book = SimpleNamespace(finalised_epochs=lambda: next(finalised))
    story.market = cast("Any", SimpleNamespace(book=book))
    story.coordinator = cast(
        "Any", SimpleNamespace(epoch=lambda _: SimpleNamespace(state=next(states)))
    )
    story.narrator = cast("Any", SimpleNamespace(look=lambda at_once: None))

    story.wait_until_final(0)

    assert answers == [None, None, None, True]
