import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Bytes, type Hex, concat, fromHex, rightAligned, uintWord } from './bytes';

/** The EIP-712 messages that a viewer reads or signs. Source: docs/protocol.md section 3. */

/** What receipts and playlists are signed under: the chain and its `EpochBook`. */
export interface Domain {
  readonly chainId: bigint;
  readonly epochBook: Hex;
}

/** Admits one viewer to one node of one pool for one epoch. Its struct hash is the session's name. */
export interface SessionTicket {
  readonly poolId: bigint;
  readonly epoch: bigint;
  readonly node: Hex;
  readonly viewer: Hex;
  readonly maxBytes: bigint;
  readonly issuedAt: bigint;
  readonly expiresAt: bigint;
  readonly nonce: bigint;
}

/** What a viewer got from a node so far in a session, cumulative. */
export interface Receipt {
  readonly sessionId: Hex;
  readonly sequence: bigint;
  readonly bytesDelivered: bigint;
  readonly bytesOnTime: bigint;
  readonly mediaSequence: bigint;
  readonly signedAt: bigint;
}

/** The origin's word for a playlist: `contentHash` is the SHA-256 of the bytes before the signature line. */
export interface PlaylistMessage {
  readonly poolId: bigint;
  readonly mediaSequence: bigint;
  readonly contentHash: Hex;
  readonly publishedAt: bigint;
}

/** A relay's word for its way to the origin; off chain only. */
export interface RelayPath {
  readonly poolId: bigint;
  readonly path: readonly Hex[];
  readonly signedAt: bigint;
}

interface Messages {
  SessionTicket: SessionTicket;
  Receipt: Receipt;
  Playlist: PlaylistMessage;
  RelayPath: RelayPath;
}

type Kind = 'address' | 'address[]' | 'bytes32' | 'uint32' | 'uint64' | 'uint256';
type Schema = readonly (readonly [kind: Kind, name: string])[];

const SCHEMAS: Readonly<Record<keyof Messages, Schema>> = {
  SessionTicket: [
    ['uint32', 'poolId'],
    ['uint64', 'epoch'],
    ['address', 'node'],
    ['address', 'viewer'],
    ['uint64', 'maxBytes'],
    ['uint64', 'issuedAt'],
    ['uint64', 'expiresAt'],
    ['uint256', 'nonce'],
  ],
  Receipt: [
    ['bytes32', 'sessionId'],
    ['uint32', 'sequence'],
    ['uint64', 'bytesDelivered'],
    ['uint64', 'bytesOnTime'],
    ['uint64', 'mediaSequence'],
    ['uint64', 'signedAt'],
  ],
  Playlist: [
    ['uint32', 'poolId'],
    ['uint64', 'mediaSequence'],
    ['bytes32', 'contentHash'],
    ['uint64', 'publishedAt'],
  ],
  RelayPath: [
    ['uint32', 'poolId'],
    ['address[]', 'path'],
    ['uint64', 'signedAt'],
  ],
};

const DOMAIN_TYPE =
  'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';

/** Such as `Receipt(bytes32 sessionId,...)`. */
export function typeString(name: keyof Messages): string {
  return `${name}(${SCHEMAS[name].map((field) => field.join(' ')).join(',')})`;
}

/** Throws MalformedError for a field that does not fit its type. */
export function structHash<Name extends keyof Messages>(
  name: Name,
  message: Messages[Name],
): Bytes {
  const fields = message as unknown as Readonly<Record<string, bigint | Hex | readonly Hex[]>>;
  const words = SCHEMAS[name].map(([kind, field]) => word(kind, fields[field]));
  return keccak(concat(keccakText(typeString(name)), ...words));
}

/** What is signed: `keccak(0x1901 ‖ domain separator ‖ struct hash)`. */
export function digest<Name extends keyof Messages>(
  name: Name,
  message: Messages[Name],
  domain: Domain,
): Bytes {
  const prefix = new Uint8Array([0x19, 0x01]);
  return keccak(concat(prefix, domainSeparator(domain), structHash(name, message)));
}

export function domainSeparator(domain: Domain): Bytes {
  return keccak(
    concat(
      keccakText(DOMAIN_TYPE),
      keccakText('StreamrP2P'),
      keccakText('1'),
      uintWord(domain.chainId, 256),
      rightAligned(fromHex(domain.epochBook, 20)),
    ),
  );
}

export function keccak(data: Uint8Array): Bytes {
  return new Uint8Array(keccak_256(data));
}

function keccakText(text: string): Bytes {
  return keccak(new TextEncoder().encode(text));
}

function word(kind: Kind, value: bigint | Hex | readonly Hex[] | undefined): Bytes {
  if (typeof value === 'bigint' && kind.startsWith('uint')) {
    return uintWord(value, Number(kind.slice('uint'.length)));
  }
  if (typeof value === 'string' && kind === 'bytes32') return fromHex(value, 32);
  if (typeof value === 'string' && kind === 'address') return rightAligned(fromHex(value, 20));
  if (Array.isArray(value) && kind === 'address[]') {
    const addresses = value as readonly Hex[];
    return keccak(concat(...addresses.map((each) => rightAligned(fromHex(each, 20)))));
  }
  throw new TypeError(`a ${kind} cannot be a ${typeof value}`);
}
