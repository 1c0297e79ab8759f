import { sha256 } from '@noble/hashes/sha2.js';
import { type Bytes, type Hex, fromHex, toHex } from '../protocol/bytes';
import { MalformedError, SignatureError, printable } from '../protocol/errors';
import { recover } from '../protocol/signatures';
import { type Domain, digest } from '../protocol/typed-data';
import { integer } from './attributes';

/** The origin's signature around a playlist's lines. Source: docs/protocol.md section 10. */

/** A window of some thousand segments; anything larger is refused before it is parsed. */
export const MAX_PLAYLIST_BYTES = 1024 * 1024;

/** Whose playlists are wanted: the pool, and the origin key of its stream record. */
export interface Stream {
  readonly poolId: number;
  readonly domain: Domain;
  readonly origin: Hex;
}

/** One line `#EXT...`, and the line directly after it ("" at the end). `value` is null without a colon. */
export interface Tag {
  readonly name: string;
  readonly value: string | null;
  readonly following: string;
}

/** The lines before the signature, and when they were published, in Unix seconds. */
export interface Unsealed {
  readonly lines: readonly string[];
  readonly publishedAt: number;
}

const SIGNATURE_TAG = new TextEncoder().encode('#EXT-X-STREAMRP2P-SIGNATURE:');
const SIGNATURE =
  /^#EXT-X-STREAMRP2P-SIGNATURE:PUBLISHED-AT=(0|[1-9][0-9]{0,14}),SIGNATURE=(0x[0-9a-f]{130})\n$/;
/** Of the tag, the digits and the signature: no signature line is longer. */
const MAX_SIGNATURE_LINE_BYTES = 256;
const MEDIA_SEQUENCE = '#EXT-X-MEDIA-SEQUENCE:';
/** What RFC 8216bis section 4.1 forbids, and what ends a line for some players but not for all. */
// eslint-disable-next-line no-control-regex -- these characters are what is looked for
const NOT_TEXT = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/;

/** Checks the origin's signature. Throws SignatureError or MalformedError. */
export function unseal(data: Uint8Array, stream: Stream): Unsealed {
  if (data.length > MAX_PLAYLIST_BYTES) {
    throw new MalformedError(
      `playlist has ${data.length} bytes, at most ${MAX_PLAYLIST_BYTES} are read`,
    );
  }
  const at = lastIndexOf(data, SIGNATURE_TAG);
  const match = at < 0 ? null : signatureLine(data.subarray(at));
  if (match === null) {
    throw new SignatureError("playlist does not end in the origin's signature");
  }
  const content = data.subarray(0, at);
  const lines = utf8(content).split('\n');
  if (lines.pop() !== '') {
    throw new MalformedError("the playlist's signature does not stand on a line of its own");
  }
  const publishedAt = Number(match.publishedAt);
  const message = {
    poolId: BigInt(stream.poolId),
    mediaSequence: BigInt(mediaSequence(lines)),
    contentHash: toHex(sha256(content)),
    publishedAt: BigInt(publishedAt),
  };
  const signer = recover(digest('Playlist', message, stream.domain), match.signature);
  if (signer !== stream.origin) {
    throw new SignatureError(`playlist is signed by ${signer}, not by the origin ${stream.origin}`);
  }
  return { lines, publishedAt };
}

/**
 * The tags of a playlist; comments and empty lines are passed over. Throws MalformedError.
 *
 * A line that names something belongs to the tag directly before it, whose reader must take it by `following`.
 */
export function* tags(lines: readonly string[]): Generator<Tag> {
  if (lines[0] !== '#EXTM3U') throw new MalformedError('playlist does not begin with #EXTM3U');
  let isTaken = false;
  for (const [index, line] of lines.entries()) {
    if (NOT_TEXT.test(line)) {
      throw new MalformedError(`line ${index + 1} has a character that no playlist may have`);
    }
    if (line.startsWith('#EXT')) {
      const colon = line.indexOf(':');
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? null : line.slice(colon + 1);
      isTaken = name === '#EXTINF' || name === '#EXT-X-STREAM-INF';
      if (index > 0) yield { name, value, following: lines[index + 1] ?? '' };
      continue;
    }
    if (line !== '' && !line.startsWith('#') && !isTaken) {
      throw new MalformedError(`${printable(line)} has no tag of its own directly before it`);
    }
    isTaken = false;
  }
}

function mediaSequence(lines: readonly string[]): number {
  const found = lines.filter((line) => line.startsWith(MEDIA_SEQUENCE));
  if (found.length > 1) {
    throw new MalformedError('playlist has more than one #EXT-X-MEDIA-SEQUENCE');
  }
  const [line] = found;
  return line === undefined
    ? 0
    : integer(line.slice(MEDIA_SEQUENCE.length), '#EXT-X-MEDIA-SEQUENCE');
}

function signatureLine(data: Uint8Array): { publishedAt: string; signature: Bytes } | null {
  if (data.length > MAX_SIGNATURE_LINE_BYTES) return null;
  const match = SIGNATURE.exec(String.fromCharCode(...data));
  if (match?.[1] === undefined || match[2] === undefined) return null;
  return { publishedAt: match[1], signature: fromHex(match[2], 65) };
}

function utf8(data: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new MalformedError('playlist is not UTF-8');
  }
}

function lastIndexOf(data: Uint8Array, sought: Uint8Array): number {
  for (let at = data.length - sought.length; at >= 0; at -= 1) {
    if (sought.every((byte, index) => data[at + index] === byte)) return at;
  }
  return -1;
}
