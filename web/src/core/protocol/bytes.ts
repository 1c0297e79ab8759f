import { MalformedError, printable } from './errors';

/** Bytes that may go to another thread. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** 0x and lower-case hex digits: how addresses, hashes and signatures are written, compared and kept. */
export type Hex = `0x${string}`;

const HEX = /^0x(?:[0-9a-fA-F]{2})*$/;

export function toHex(bytes: Uint8Array): Hex {
  return `0x${hexDigits(bytes)}`;
}

export function hexDigits(bytes: Uint8Array): string {
  let digits = '';
  for (const byte of bytes) digits += byte.toString(16).padStart(2, '0');
  return digits;
}

/** Reads `length` bytes of 0x hex; throws MalformedError for anything else. */
export function fromHex(text: string, length: number): Bytes {
  if (!HEX.test(text) || text.length !== 2 + 2 * length) {
    throw new MalformedError(`expected 0x and ${2 * length} hex digits, got ${printable(text)}`);
  }
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) {
    bytes[index] = Number.parseInt(text.slice(2 + 2 * index, 4 + 2 * index), 16);
  }
  return bytes;
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** An unsigned integer as a 32-byte word; throws MalformedError unless it has at most `bits` bits. */
export function uintWord(value: bigint, bits: number): Bytes {
  if (value < 0n || value >= 1n << BigInt(bits)) {
    throw new MalformedError(`${value.toString()} is no unsigned integer of ${bits} bits`);
  }
  return fromHex(`0x${value.toString(16).padStart(64, '0')}`, 32);
}

/** Bytes at the end of a 32-byte word, as an address stands in one. */
export function rightAligned(bytes: Uint8Array): Bytes {
  const word = new Uint8Array(32);
  word.set(bytes, 32 - bytes.length);
  return word;
}
