"""Section 10 as a grammar: what a playlist may consist of, matched token by token over its whole text."""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from tests.differential.oracle import messages

HASH = r"SHA256=(?P<hash>[0-9a-f]{64}),BYTES=(?P<bytes>[1-9][0-9]{0,14})"
NAME = r"(?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})"
SECONDS = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
NUMBER = r"(?:0|[1-9][0-9]{0,14})"
DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)"
SIGNATURE = re.compile(
    rf"#EXT-X-STREAMRP2P-SIGNATURE:PUBLISHED-AT=({NUMBER}),SIGNATURE=0x([0-9a-f]{{130}})\n"
)
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
HEADER = {
    "version": rf"#EXT-X-VERSION:{NUMBER}\n",
    "independent": r"#EXT-X-INDEPENDENT-SEGMENTS\n",
    "target": rf"#EXT-X-TARGETDURATION:(?P<value>{NUMBER})\n",
    "sequence": rf"#EXT-X-MEDIA-SEQUENCE:(?P<value>{NUMBER})\n",
    "discontinuities": rf"#EXT-X-DISCONTINUITY-SEQUENCE:(?P<value>{NUMBER})\n",
    "control": r"#EXT-X-SERVER-CONTROL:(?P<list>[^\n]+)\n",
    "part target": rf"#EXT-X-PART-INF:PART-TARGET=(?P<value>{SECONDS})\n",
    "rendition": r"#EXT-X-STREAMRP2P-RENDITION:(?P<value>(?!live\n|path\n)[a-z0-9]{1,16})\n",
    "skip": r"#EXT-X-SKIP:SKIPPED-SEGMENTS=(?P<value>[1-9][0-9]{0,14})\n",
}
LISTED = {
    "map": rf'#EXT-X-STREAMRP2P-MAP:{HASH}\n#EXT-X-MAP:URI="{NAME}"\n',
    "part": rf"#EXT-X-STREAMRP2P-PART:{HASH}\n#EXT-X-PART:(?P<list>[^\n]+)\n",
    "segment": rf"#EXT-X-STREAMRP2P-SEGMENT:{HASH}\n#EXTINF:(?P<value>{SECONDS}),[^\n]*\n{NAME}\n",
    "thumbnail": rf'#EXT-X-STREAMRP2P-THUMBNAIL:{HASH},URI="{NAME}"\n',
    "discontinuity": r"#EXT-X-DISCONTINUITY\n",
    "date": rf"#EXT-X-PROGRAM-DATE-TIME:{DATE}\n",
    "end": r"#EXT-X-ENDLIST\n",
}
VARIANTS = {
    "multivariant": r"#EXT-X-STREAMRP2P-MULTIVARIANT\n",
    "version": HEADER["version"],
    "independent": HEADER["independent"],
    "variant": r"#EXT-X-STREAM-INF:(?P<list>[^\n]+)\n(?P<value>(?!live\.|path\.)[a-z0-9]{1,16})\.m3u8\n",
}
NOTHING = re.compile(r"(?:#(?!EXT)[^\n]*)?\n")

Tree = dict[str, Any]


class RefusedError(Exception):
    pass


def require(holds: object) -> None:
    if not holds:
        raise RefusedError


def signed_content(
    text: str, pool_id: int, origin: bytes, chain_id: int, epoch_book: bytes
) -> tuple[str, int]:
    """Return the text before the signature line, and when it was published."""
    content, tag, _ = text.rpartition("#EXT-X-STREAMRP2P-SIGNATURE")
    match = SIGNATURE.fullmatch(text, len(content))
    require(tag and match and content.endswith("\n"))
    assert match is not None
    sequences = re.findall(r"^#EXT-X-MEDIA-SEQUENCE:(.*)$", content, re.MULTILINE)
    message: messages.Message = {
        "poolId": pool_id,
        "mediaSequence": int(sequences[0]) if sequences else 0,
        "contentHash": sha256(content.encode()).digest(),
        "publishedAt": int(match[1]),
    }
    signer = messages.signer("Playlist", message, bytes.fromhex(match[2]), chain_id, epoch_book)
    require(signer == origin)
    return content, int(match[1])


def tokens(content: str, grammar: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Cut the text into the tokens of the grammar, every byte of it."""
    require(content.startswith("#EXTM3U\n") and not FORBIDDEN.search(content))
    compiled = [(kind, re.compile(pattern)) for kind, pattern in grammar.items()]
    at = len("#EXTM3U\n")
    while at < len(content):
        if match := NOTHING.match(content, at):
            at = match.end()
            continue
        for kind, pattern in compiled:
            if match := pattern.match(content, at):
                yield kind, {name: text for name, text in match.groupdict().items() if text}
                at = match.end()
                break
        else:
            raise RefusedError


def attributes(text: str, patterns: dict[str, str]) -> dict[str, str]:
    """Read an attribute list whose names and values are these."""
    one = "|".join(f"{name}=(?:{pattern})" for name, pattern in patterns.items())
    require(re.fullmatch(f"(?:{one})(?:,(?:{one}))*", text))
    pairs = [found.group().partition("=") for found in re.finditer(one, text)]
    require(len({name for name, _, _ in pairs}) == len(pairs))
    return {name: value.strip('"') for name, _, value in pairs}


def micros(seconds: str) -> int:
    whole, _, fraction = seconds.partition(".")
    return int(whole + fraction.ljust(6, "0"))


def vouched(found: dict[str, str], name: str, known: dict[str, Tree]) -> Tree:
    """Return the object of a token; its name must not stand for another one."""
    require(re.fullmatch(NAME, name) and not name.endswith(".m3u8") and name != "path")
    length = int(found["bytes"])
    require(length <= 2**26)
    tree = {"name": name, "lengthBytes": length, "sha256": bytes.fromhex(found["hash"])}
    require(known.setdefault(name, tree) == tree)
    return tree


def media(content: str, rendition: str) -> Tree:
    """Return what a media playlist says, but for the pool and the time."""
    header: dict[str, str] = {}
    listed: list[tuple[str, dict[str, str]]] = []
    for kind, found in tokens(content, HEADER | LISTED):
        if kind in HEADER:
            require(kind not in header and not listed)
            header[kind] = found.get("value") or found.get("list") or ""
        else:
            listed.append((kind, found))
    require({"target", "sequence"} <= header.keys() and header.get("rendition") == rendition)
    yes = {"CAN-BLOCK-RELOAD": "YES"}
    times = dict.fromkeys(("CAN-SKIP-UNTIL", "HOLD-BACK", "PART-HOLD-BACK"), SECONDS)
    control = attributes(header["control"], yes | times) if "control" in header else {}
    skipped = int(header.get("skip", 0))
    segments, rest = segments_of(listed, int(header["sequence"]) + skipped)
    require(not (any(kind == "part" for kind, _ in listed) and "part target" not in header))
    return {
        "rendition": rendition,
        "mediaSequence": int(header["sequence"]),
        "discontinuitySequence": int(header.get("discontinuities", 0)),
        "targetSeconds": int(header["target"]),
        "partTargetMicros": micros(header["part target"]) if "part target" in header else None,
        "serverControl": {
            "canBlockReload": "CAN-BLOCK-RELOAD" in control,
            "canSkipUntilMicros": micros(control["CAN-SKIP-UNTIL"])
            if "CAN-SKIP-UNTIL" in control
            else None,
            "holdBackMicros": micros(control["HOLD-BACK"]) if "HOLD-BACK" in control else None,
            "partHoldBackMicros": micros(control["PART-HOLD-BACK"])
            if "PART-HOLD-BACK" in control
            else None,
        },
        "skippedSegments": skipped,
        "segments": segments,
        **rest,
    }


def segments_of(listed: list[tuple[str, dict[str, str]]], first: int) -> tuple[list[Tree], Tree]:
    """Return the complete segments, and what stands after the last one."""
    known: dict[str, Tree] = {}
    media_names: list[str] = []
    segments: list[Tree] = []
    current_map: Tree | None = None
    ends = 0
    parts: list[Tree] = []
    thumbnail: Tree | None = None
    is_discontinuity = False
    for kind, found in listed:
        if kind in ("map", "date", "discontinuity"):
            require(not parts)
        if kind == "map":
            current_map = vouched(found, found["name"], known)
        elif kind == "thumbnail":
            require(thumbnail is None)
            thumbnail = vouched(found, found["name"], known)
        elif kind == "discontinuity":
            is_discontinuity = True
        elif kind == "end":
            ends += 1
        elif kind == "part":
            values = attributes(
                found["list"], {"DURATION": SECONDS, "URI": r'"[^"]*"', "INDEPENDENT": "YES"}
            )
            require({"DURATION", "URI"} <= values.keys())
            media_names.append(values["URI"])
            parts.append(
                {
                    "object": vouched(found, values["URI"], known),
                    "durationMicros": micros(values["DURATION"]),
                    "isIndependent": "INDEPENDENT" in values,
                }
            )
        elif kind == "segment":
            media_names.append(found["name"])
            whole = vouched(found, found["name"], known)
            together = sum(part["object"]["lengthBytes"] for part in parts)
            require(not parts or together == whole["lengthBytes"])
            segments.append(
                {
                    "mediaSequence": first + len(segments),
                    "object": whole,
                    "durationMicros": micros(found["value"]),
                    "parts": parts,
                    "map": current_map,
                    "thumbnail": thumbnail,
                    "isDiscontinuity": is_discontinuity,
                }
            )
            parts, thumbnail, is_discontinuity = [], None, False
    require(thumbnail is None and ends <= 1 and len(set(media_names)) == len(media_names))
    return segments, {"parts": parts, "map": current_map, "isEnded": ends == 1}


def multivariant(content: str) -> Tree:
    """Return what a multivariant playlist says, but for the pool and the time."""
    kinds: list[str] = []
    variants: list[Tree] = []
    for kind, found in tokens(content, VARIANTS):
        if kind != "variant":
            kinds.append(kind)
            continue
        values = attributes(
            found["list"],
            {
                "BANDWIDTH": NUMBER,
                "AVERAGE-BANDWIDTH": NUMBER,
                "CODECS": r'"[^"]*"',
                "RESOLUTION": r"[1-9]\d{0,4}x[1-9]\d{0,4}",
                "FRAME-RATE": SECONDS,
            },
        )
        require("BANDWIDTH" in values)
        width, _, height = values.get("RESOLUTION", "").partition("x")
        average, rate = values.get("AVERAGE-BANDWIDTH"), values.get("FRAME-RATE")
        variants.append(
            {
                "rendition": found["value"],
                "bandwidthBitsPerSecond": int(values["BANDWIDTH"]),
                "averageBandwidthBitsPerSecond": int(average) if average else None,
                "codecs": values.get("CODECS"),
                "width": int(width) if width else None,
                "height": int(height) if height else None,
                "frameRateMillihertz": micros(rate) // 1000 if rate else None,
            }
        )
    names = [each["rendition"] for each in variants]
    require("multivariant" in kinds and len(set(kinds)) == len(kinds))
    require(names and len(set(names)) == len(names))
    return {"variants": variants}


def merged(older: Tree, update: Tree) -> Tree | None:
    """Return the full playlist by its numbers, or None when segments are missing."""
    count = update["skippedSegments"]
    if count == 0:
        return update
    wanted = range(update["mediaSequence"], update["mediaSequence"] + count)
    have = {each["mediaSequence"]: each for each in older["segments"]}
    if older["skippedSegments"] or not all(number in have for number in wanted):
        return None
    before = have[wanted[-1]]["map"]
    new = [{**each, "map": each["map"] or before} for each in update["segments"]]
    return {
        **update,
        "skippedSegments": 0,
        "segments": [*(have[number] for number in wanted), *new],
        "map": update["map"] or before,
    }
