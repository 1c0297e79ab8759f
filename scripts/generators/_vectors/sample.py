"""The actors and messages that the vectors are made of. The keys are anvil's ten, which everybody knows."""

from dataclasses import replace

from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, Message, Receipt, SessionTicket

CHAIN_ID = 31337
EPOCH_BOOK = Address(bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3"))
DOMAIN = Domain(CHAIN_ID, EPOCH_BOOK)
GENESIS = 1_700_000_000
EPOCH_SECONDS = 600
INTAKE_GRACE_SECONDS = 60

ANVIL_KEYS = tuple(
    bytes.fromhex(key)
    for key in (
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
        "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
        "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
        "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
        "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
    )
)
TICKET_KEY, POSTER_KEY, ORIGIN_KEY = ANVIL_KEYS[:3]
NODE_KEYS = ANVIL_KEYS[3:6]
VIEWER_KEYS = ANVIL_KEYS[6:10]
TICKET_SIGNER, POSTER, ORIGIN = map(address_of, (TICKET_KEY, POSTER_KEY, ORIGIN_KEY))
NODES = tuple(sorted(map(address_of, NODE_KEYS)))
VIEWERS = tuple(map(address_of, VIEWER_KEYS))
KEY_OF = {address_of(key): key for key in ANVIL_KEYS}


def signature(message: Message, signer: Address) -> Signature:
    """Return the signature of one of the actors."""
    return sign(message.digest(DOMAIN), KEY_OF[signer])


def ticket(
    pool_id: int = 1, epoch: int = 2, node: int = 0, viewer: int = 0, nonce: int = 1
) -> SessionTicket:
    """Return a ticket that is issued 10 s into its epoch; `node` and `viewer` are indices."""
    issued_at = GENESIS + epoch * EPOCH_SECONDS + 10
    return SessionTicket(
        pool_id, epoch, NODES[node], VIEWERS[viewer], 50_000_000, issued_at, issued_at + 300, nonce
    )


def record(of: SessionTicket, delivered: int, on_time: int, sequence: int = 1) -> SessionRecord:
    """Return a session record with both signatures."""
    receipt = Receipt(
        of.session_id, sequence, delivered, on_time, 40 + sequence, of.issued_at + 100
    )
    return signed(of, receipt)


def signed(of: SessionTicket, receipt: Receipt) -> SessionRecord:
    """Sign a ticket by the ticket signer and a receipt by the ticket's viewer."""
    receipt = replace(receipt, session_id=of.session_id)
    return SessionRecord(
        of,
        signature(of, TICKET_SIGNER),
        receipt,
        signature(receipt, of.viewer),
    )


def digest_of(number: int) -> Hash:
    """Return a leaf digest that anyone can make: the 32 bytes big-endian of `number`."""
    return Hash(number.to_bytes(32))
