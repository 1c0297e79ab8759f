"""`streamrp2p audit explain`: an account's amounts from a bundle that was judged, without asking the coordinator."""

from dataclasses import dataclass
from typing import Any

from streamrp2p import api
from streamrp2p.audit import ByteIdentical
from streamrp2p.explanation import Explanation, explain_bundle, refusals_of
from streamrp2p.explanation_view import explanation_lines, refusal_lines
from streamrp2p.numbers import Address
from streamrp2p.records import SignedRejection
from streamrp2p_auditor.judge import Judged
from streamrp2p_auditor.report import Outcome


@dataclass(frozen=True, slots=True)
class Explained:
    """An account's epoch as the chain and the bundle have it."""

    explanation: Explanation
    refusals: list[SignedRejection]

    def json(self) -> dict[str, Any]:
        """Return the JSON object; `explanation` has the very bytes of the coordinator's."""
        return {
            "explanation": api.Explanation.of(self.explanation).dump(),
            "refusals": [
                {
                    "sessionId": "0x" + signed.session_id.hex(),
                    "sequence": signed.sequence,
                    "code": signed.code,
                    "receivedAt": signed.received_at,
                    "signature": "0x" + signed.signature.hex(),
                }
                for signed in self.refusals
            ],
        }

    def lines(self) -> list[str]:
        """Return the steps for a person."""
        remark = "signed by the header's poster"
        return [
            f"account 0x{self.explanation.account.hex()}",
            *explanation_lines(self.explanation),
            *refusal_lines((signed, remark) for signed in self.refusals),
        ]


def explain_judged(outcome: Outcome, account: Address) -> Explained | None:
    """Explain an epoch that was found byte-identical; of any other nothing can be said."""
    if not isinstance(outcome, Judged) or not isinstance(outcome.verdict, ByteIdentical):
        return None
    bundle = outcome.verdict.settlement.bundle
    return Explained(
        explain_bundle(bundle, outcome.facts.pools, account), refusals_of(bundle, account)
    )
