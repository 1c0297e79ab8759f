import { describe, expect, it } from 'vitest';
import { type Hex, fromHex, toHex } from '../../src/core/protocol/bytes';
import { addressOf, recover, sign } from '../../src/core/protocol/signatures';
import {
  type Receipt,
  type SessionTicket,
  digest,
  domainSeparator,
  structHash,
  typeString,
} from '../../src/core/protocol/typed-data';
import { vectors } from '../support/vectors';

interface TypedDataCase {
  primaryType: string;
  typeString: string;
  message: Record<string, string | string[]>;
  structHash: string;
  digest: Hex;
  signer: string;
  privateKey: string;
  signature: string;
}

const file = vectors<TypedDataCase, { domainSeparator: string }>('typed-data');
const domain = { chainId: BigInt(file.chainId), epochBook: file.epochBook as Hex };
const paths = vectors<TypedDataCase>('relay-paths');
const OURS = ['SessionTicket', 'Receipt', 'Playlist', 'RelayPath'] as const;

function message(fields: TypedDataCase['message']): never {
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'string' && !value.startsWith('0x') ? BigInt(value) : value,
  ]);
  return Object.fromEntries(entries) as never;
}

describe('the messages of typed-data.json', () => {
  it('share their domain separator', () => {
    expect(toHex(domainSeparator(domain))).toBe(file.domainSeparator);
  });

  for (const name of OURS) {
    const all = [...file.cases, ...paths.cases.map((each) => ({ ...paths, ...each }))];
    const cases = all.filter((each) => each.primaryType === name);
    it(`hash and are signed as ${name} in ${cases.length} cases`, () => {
      expect(cases.length).toBeGreaterThan(0);
      for (const each of cases) {
        const fields = message(each.message);
        const signed = digest(name, fields, domain);
        expect(typeString(name)).toBe(each.typeString);
        expect(toHex(structHash(name, fields))).toBe(each.structHash);
        expect(toHex(signed)).toBe(each.digest);
        expect(toHex(sign(signed, fromHex(each.privateKey, 32)))).toBe(each.signature);
        expect(recover(signed, fromHex(each.signature, 65))).toBe(each.signer);
        expect(addressOf(fromHex(each.privateKey, 32))).toBe(each.signer);
      }
    });
  }
});

interface SessionRecordCase {
  ticket: Record<string, string>;
  ticketSignature: string;
  receipt: Record<string, string>;
  receiptSignature: string;
  sessionId: string;
}

describe('the records of session-record.json', () => {
  const records = vectors<SessionRecordCase, { ticketSigner: string }>('session-record');

  it.each(records.cases)('name session $sessionId by its ticket', (each) => {
    const ticket: SessionTicket = message(each.ticket);
    const receipt: Receipt = message({ sessionId: each.sessionId, ...each.receipt });
    expect(toHex(structHash('SessionTicket', ticket))).toBe(each.sessionId);
    expect(
      recover(digest('SessionTicket', ticket, domain), fromHex(each.ticketSignature, 65)),
    ).toBe(records.ticketSigner);
    expect(recover(digest('Receipt', receipt, domain), fromHex(each.receiptSignature, 65))).toBe(
      ticket.viewer,
    );
  });
});

describe('a signature', () => {
  const [first] = file.cases;
  const hash = fromHex(first?.digest ?? '', 32);
  const signature = fromHex(first?.signature ?? '', 65);

  it('is refused with a high s, which the same key could have made of it', () => {
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = order - BigInt(toHex(signature.slice(32, 64)));
    const high = signature.slice();
    high.set(fromHex(`0x${s.toString(16).padStart(64, '0')}`, 32), 32);
    high[64] = 27 + 28 - (high[64] ?? 0);
    expect(() => recover(hash, high)).toThrow('high s');
  });

  it.each([0, 1, 26, 29])('is refused with %i as its last byte', (v) => {
    const other = signature.slice();
    other[64] = v;
    expect(() => recover(hash, other)).toThrow('27 or 28');
  });

  it('is refused when it has another length', () => {
    expect(() => recover(hash, signature.subarray(1))).toThrow('65 bytes');
  });

  it('is refused when r is 0', () => {
    const zero = signature.slice();
    zero.fill(0, 0, 32);
    expect(() => recover(hash, zero)).toThrow('recover');
  });
});

describe('a field', () => {
  it('is refused when it does not fit its type', () => {
    const ticket = {
      poolId: 1n << 32n,
      epoch: 0n,
      node: `0x${'11'.repeat(20)}`,
      viewer: `0x${'22'.repeat(20)}`,
      maxBytes: 0n,
      issuedAt: 0n,
      expiresAt: 0n,
      nonce: 0n,
    } as const;
    expect(() => structHash('SessionTicket', ticket)).toThrow('32 bits');
    expect(() => structHash('SessionTicket', { ...ticket, poolId: -1n })).toThrow('32 bits');
  });
});
