"""A request that a node signs: it counts for a while, and only if the node itself signed it."""

from streamrp2p.errors import SignatureError
from streamrp2p.numbers import Address
from streamrp2p.reachability import MAX_CHECK_AGE_SECONDS
from streamrp2p.signatures import check_signer
from streamrp2p.typed_data import Domain, Message
from streamrp2p_coordinator.errors import InvalidSignatureError, RequestError


def check_signed_request(
    message: Message,
    signature: bytes,
    node: Address,
    *,
    what: str,
    time_field: str,
    signed_at: int,
    domain: Domain,
    now: int,
) -> None:
    """Raise RequestError if a request is of another time, InvalidSignatureError if `node` did not sign it.

    `what` names it, and `time_field` the field of `signed_at`, to who sent it.
    """
    off_seconds = abs(now - signed_at)
    if off_seconds > MAX_CHECK_AGE_SECONDS:
        raise RequestError(
            f"{time_field} is {off_seconds} s off the coordinator's clock, at most "
            f"{MAX_CHECK_AGE_SECONDS} s are accepted; set this machine's clock, or sign the {what} anew"
        )
    try:
        check_signer(message.digest(domain), signature, node, "the node")
    except SignatureError as error:
        raise InvalidSignatureError(f"the {what} is not valid: {error}") from error
