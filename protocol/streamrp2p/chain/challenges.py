"""`Challenges`: the fraud proofs."""

from streamrp2p.chain.contract import Contract
from streamrp2p.chain.transactions import Call
from streamrp2p.fraud import Fraud


class ChallengesContract(Contract):
    """Typed access to one `Challenges`."""

    ARTIFACT = "Challenges"

    def call(self, fraud: Fraud) -> Call:
        """Void a pending header; anyone. The sender is credited half of the poster's bond."""
        return self._call(fraud.function, *fraud.arguments)
