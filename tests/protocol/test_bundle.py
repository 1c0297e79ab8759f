import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrp2p.bundle import Bundle, decode_bundle
from streamrp2p.claims_tree import ClaimLeaf, entry_word
from streamrp2p.errors import BundleError, MalformedError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash, SessionId, Signature
from streamrp2p.records import NodeRow, PoolRow, SignedRejection
from tests.support.changed import changed

ROOT = Hash(b"\xaa" * 32)
EMPTY = Bundle(31337, Address(b"\1" * 20), 7, ROOT)
NODE_A, NODE_B, NODE_C = (Address(bytes([number]) * 20) for number in (2, 3, 4))
FULL = Bundle(
    31337,
    Address(b"\1" * 20),
    7,
    ROOT,
    (PoolRow(1, ROOT, 2, 30, 5, 6), PoolRow(2, ROOT, 0, 0, 0, 9), PoolRow(3, ROOT, 1, 5, 1, 1)),
    (NodeRow(NODE_A, ROOT, 2, 20, 3), NodeRow(NODE_B, ROOT, 1, 10, 2), NodeRow(NODE_A, ROOT, 1, 5, 1)),
    tuple(bytes([number]) * 274 for number in range(4)),
    (ClaimLeaf(NODE_A, (entry_word(1, 3), entry_word(3, 1))), ClaimLeaf(NODE_C, ())),
    (SignedRejection(SessionId(ROOT), 1, 8, 99, Signature(b"\5" * 65)),),
)  # fmt: skip


def test_an_empty_bundle_is_its_preface_alone() -> None:
    assert EMPTY.encode().hex() == (
        b"SRP2PB01".hex()
        + "0000000000007a69"
        + "01" * 20
        + "0000000000000007"
        + "aa" * 32
        + "00000000" * 6
    )
    assert decode_bundle(EMPTY.encode()) == EMPTY


def test_a_bundle_survives_the_round_trip() -> None:
    data = FULL.encode()
    assert len(data) == 100 + 3 * 88 + 3 * 88 + 4 * 274 + 2 * 22 + 2 * 32 + 111
    assert decode_bundle(data) == FULL


def test_the_data_hash_is_that_of_all_bytes() -> None:
    assert FULL.data_hash() == keccak(FULL.encode())


def test_chunks_are_bounded_and_make_the_file() -> None:
    many = changed(FULL, session_records=tuple(bytes(274) for _ in range(9000)))
    sizes = [len(chunk) for chunk in many.chunks()]
    assert max(sizes) <= 4096 * 274
    assert sum(sizes) == len(many.encode())


def test_rows_are_dealt_out_to_their_pools_and_nodes() -> None:
    assert [(row.pool_id, [node.node for node in nodes]) for row, nodes in FULL.by_pool()] == [
        (1, [NODE_A, NODE_B]),
        (2, []),
        (3, [NODE_A]),
    ]
    assert [(pool.pool_id, node.node, len(own)) for pool, node, own in FULL.by_node()] == [
        (1, NODE_A, 2),
        (1, NODE_B, 1),
        (3, NODE_A, 1),
    ]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"", "preface"),
        (FULL.encode()[:99], "preface"),
        (b"SRP2PB02" + FULL.encode()[8:], "magic"),
        (FULL.encode()[:-1], "rejections"),
        (FULL.encode() + b"\0", "end"),
        (EMPTY.encode()[:96] + b"\0\0\0\1", "rejections"),
        (EMPTY.encode()[:76] + b"\xff" * 24, "pool rows"),
        (changed(FULL, node_rows=FULL.node_rows[:2]).encode(), "node rows"),
        (changed(FULL, session_records=FULL.session_records[:3]).encode(), "session records"),
    ],
)
def test_a_file_that_is_not_valid_is_refused_with_the_part_and_what_to_do(
    data: bytes, field: str
) -> None:
    with pytest.raises(BundleError, match=f"not valid at {field}.*fetch it again") as caught:
        decode_bundle(data)
    assert caught.value.field == field


def test_claim_heads_that_speak_of_other_entries_are_refused() -> None:
    data = bytearray(FULL.encode())
    head = 100 + 6 * 88 + 4 * 274
    data[head + 20 : head + 22] = b"\0\1"
    with pytest.raises(BundleError, match="the file has 2, its rows speak of 1"):
        decode_bundle(bytes(data))


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BundleError):
        decode_bundle(data)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, 200) | st.integers(0, 1900), st.integers(0, 255)), max_size=4)
)
def test_mutated_bytes_are_refused_or_decode_to_what_encodes_to_them(
    changes: list[tuple[int, int]],
) -> None:
    data = bytearray(FULL.encode())
    for at, value in changes:
        if at < len(data):
            data[at] = value
    try:
        bundle = decode_bundle(bytes(data))
    except BundleError:
        return
    assert bundle.encode() == bytes(data)


@given(st.integers(0, 2000))
def test_every_truncation_is_refused(length: int) -> None:
    data = FULL.encode()
    if length < len(data):
        with pytest.raises(BundleError):
            decode_bundle(data[:length])


@pytest.mark.parametrize(
    "broken",
    [
        changed(FULL, chain_id=2**64),
        changed(FULL, epoch_book=b"\1" * 19),
        changed(FULL, epoch=-1),
        changed(FULL, parent=b""),
        changed(FULL, session_records=(bytes(273),)),
        changed(FULL, claims=(ClaimLeaf(Address(b"short"), ()),)),
        changed(FULL, claims=(ClaimLeaf(NODE_A, (2**256,)),)),
        changed(FULL, claims=(ClaimLeaf(NODE_A, (1,) * 65536),)),
    ],
    ids=["chain", "book", "epoch", "parent", "record", "account", "entry", "too many entries"],
)
def test_what_does_not_fit_is_malformed(broken: Bundle) -> None:
    with pytest.raises(MalformedError):
        broken.encode()
