"""Vectors of section 10: signed playlists of both kinds, delta updates, relay paths."""

from dataclasses import fields, is_dataclass
from hashlib import sha256

from scripts.generators._vectors.form import Case, camel, document
from scripts.generators._vectors.playlist_texts import (
    DELTA,
    MEDIA,
    MULTIVARIANT,
    OBJECTS,
    refused_media,
    refused_multivariant,
)
from scripts.generators._vectors.sample import (
    CHAIN_ID,
    DOMAIN,
    EPOCH_BOOK,
    KEY_OF,
    NODES,
    ORIGIN,
    ORIGIN_KEY,
    VIEWERS,
    signature,
)
from streamrp2p.errors import MalformedError, PathError, SignatureError
from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.playlist import (
    MediaObject,
    MediaPlaylist,
    MultivariantPlaylist,
    merge,
    sign_playlist,
    verify_media_playlist,
    verify_multivariant_playlist,
)
from streamrp2p.relay_path import check_upstream
from streamrp2p.typed_data import Domain, Playlist, RelayPath

POOL_ID = 1
PUBLISHED_AT = 1_700_001_290


def files() -> dict[str, bytes]:
    """Return the vector files by name."""
    return {"playlists.json": _playlists(), "relay-paths.json": _relay_paths()}


def _playlists() -> bytes:
    objects = [
        MediaObject(name, len(data), Hash(sha256(data).digest())) for name, data in OBJECTS.items()
    ]

    def signed(text: str, pool_id: int = POOL_ID, domain: Domain = DOMAIN) -> bytes:
        return sign_playlist(
            text, objects, pool_id=pool_id, domain=domain, published_at=PUBLISHED_AT,
            origin_key=ORIGIN_KEY,
        )  # fmt: skip

    full, delta, several = signed(MEDIA), signed(DELTA), signed(MULTIVARIANT)
    ended, too_far = signed(MEDIA + "#EXT-X-ENDLIST\n"), signed(DELTA.replace("S=2", "S=4"))
    cases = [
        _playlist("a full media playlist", "source", full, MEDIA),
        _playlist("a delta update", "source", delta, DELTA),
        _playlist("a delta update that skips more", "source", too_far),
        _playlist("an ended media playlist", "source", ended),
        _playlist("a multivariant playlist", "", several, MULTIVARIANT),
        _playlist("another rendition than asked for", "240p", full),
        _playlist("a media playlist for the multivariant one", "", full),
        _playlist("the multivariant playlist for a media playlist", "source", several),
        _playlist("another pool's", "source", signed(MEDIA, 2)),
        _playlist("another chain's", "source", signed(MEDIA, domain=Domain(1, EPOCH_BOOK))),
        _playlist("a changed byte", "source", full.replace(b"DURATION=0.5", b"DURATION=0.6")),
        _playlist("without its last line", "source", full[: full.rindex(b"#EXT-X-STREAMRP2P-SIG")]),
        _playlist("a line after the signature", "source", full + b"#\n"),
        *(
            _playlist(name, "source", _sealed(text, 40 if ":40" in text or ":040" in text else 0))
            for name, text in refused_media(full.decode())
        ),
        *(
            _playlist(name, "", _sealed(text, 0))
            for name, text in refused_multivariant(several.decode())
        ),
    ]
    merges = [
        _merge("a delta update on the full playlist", full, delta),
        _merge("a full playlist on another", full, ended),
        _merge("a delta update on a delta update", delta, delta),
        _merge("a delta update that skips too much", full, too_far),
    ]
    return document(
        "Signed playlists as a client reads them: `text` is asked for as `rendition` ('' for the "
        "multivariant one). `merges`: what `update` stands for on top of `older`, both of the rendition source.",
        cases,
        chainId=CHAIN_ID,
        epochBook=EPOCH_BOOK,
        origin=ORIGIN,
        poolId=POOL_ID,
        objectNames=list(OBJECTS),
        objects=list(OBJECTS.values()),
        mergeCount=len(merges),
        merges=merges,
    )


def _sealed(text: str, media_sequence: int) -> bytes:
    """Sign the text as it is, right or wrong."""
    content = text.encode()
    message = Playlist(POOL_ID, media_sequence, Hash(sha256(content).digest()), PUBLISHED_AT)
    by_origin = signature(message, ORIGIN).hex()
    line = f"#EXT-X-STREAMRP2P-SIGNATURE:PUBLISHED-AT={PUBLISHED_AT},SIGNATURE=0x{by_origin}\n"
    return content + line.encode()


def _playlist(name: str, rendition: str, data: bytes, plain: str = "") -> Case:
    playlist: object = None
    refusal = ""
    try:
        playlist = (
            verify_media_playlist(
                data, pool_id=POOL_ID, rendition=rendition, domain=DOMAIN, origin=ORIGIN
            )
            if rendition
            else verify_multivariant_playlist(data, pool_id=POOL_ID, domain=DOMAIN, origin=ORIGIN)
        )
    except SignatureError:
        refusal = "signature"
    except MalformedError:
        refusal = "malformed"
    return {
        "name": name,
        "rendition": rendition,
        "plain": plain,
        "text": data.decode(),
        "refusal": refusal,
        "media": _tree(playlist) if isinstance(playlist, MediaPlaylist) else None,
        "multivariant": _tree(playlist) if isinstance(playlist, MultivariantPlaylist) else None,
    }


def _merge(name: str, older: bytes, update: bytes) -> Case:
    first, second = (
        verify_media_playlist(
            data, pool_id=POOL_ID, rendition="source", domain=DOMAIN, origin=ORIGIN
        )
        for data in (older, update)
    )
    try:
        merged: MediaPlaylist | None = merge(first, second)
    except MalformedError:
        merged = None
    return {
        "name": name,
        "older": older.decode(),
        "update": update.decode(),
        "merged": _tree(merged),
    }


def _tree(value: object) -> object:
    """Return dataclasses as objects, by the protocol's spelling of their fields."""
    if is_dataclass(value):
        return {camel(each.name): _tree(getattr(value, each.name)) for each in fields(value)}
    return [_tree(each) for each in value] if isinstance(value, tuple) else value


def _relay_paths() -> bytes:
    a, b, c = NODES
    d = VIEWERS[0]
    cases = [
        _path("one relay", (a,), upstream=a, node=b),
        _path("two relays", (a, b), upstream=b, node=c),
        _path("three relays, which may feed viewers alone", (a, b, c), upstream=c, node=d),
        _path("the asker stands on it", (a, b), upstream=b, node=a),
        _path("the asker is the upstream", (a,), upstream=a, node=a),
        _path("a relay stands on it twice", (b, b), upstream=b, node=c),
        _path("no relay", (), upstream=a, node=b, signer=a),
        _path("ends in another relay", (a, b), upstream=a, node=c),
        _path("signed by another relay on it", (a, b), upstream=b, node=c, signer=a),
        _path("as old as it may be", (a,), upstream=a, node=b, now=PUBLISHED_AT + 30),
        _path("too old", (a,), upstream=a, node=b, now=PUBLISHED_AT + 31),
        _path("as far ahead as it may be", (a,), upstream=a, node=b, now=PUBLISHED_AT - 30),
        _path("too far ahead", (a,), upstream=a, node=b, now=PUBLISHED_AT - 31),
        _path("of another pool", (a,), upstream=a, node=b, pool_id=2),
    ]
    return document(
        "Signed paths of relays, and whether `node` may take the pool `poolId` from `upstream` at `now`.",
        cases,
        chainId=CHAIN_ID,
        epochBook=EPOCH_BOOK,
        poolId=POOL_ID,
        typeString=RelayPath.type_string(),
        typeHash=RelayPath.type_hash(),
    )


def _path(
    name: str, path: tuple[Address, ...], *, upstream: Address, node: Address, signer: Address | None = None,
    now: int = PUBLISHED_AT, pool_id: int = POOL_ID,
) -> Case:  # fmt: skip
    message = RelayPath(pool_id, path, PUBLISHED_AT)
    signer = signer or path[-1]
    by_signer: Signature = signature(message, signer)
    try:
        check_upstream(
            message,
            by_signer,
            pool_id=POOL_ID,
            upstream=upstream,
            node=node,
            now=now,
            domain=DOMAIN,
        )
        is_accepted = True
    except (PathError, SignatureError):
        is_accepted = False
    return {
        "name": name,
        "primaryType": message.NAME,
        "message": {"poolId": pool_id, "path": path, "signedAt": PUBLISHED_AT},
        "structHash": message.struct_hash(),
        "digest": message.digest(DOMAIN),
        "signer": signer,
        "privateKey": KEY_OF[signer],
        "signature": by_signer,
        "upstream": upstream,
        "node": node,
        "now": now,
        "isAccepted": is_accepted,
    }
