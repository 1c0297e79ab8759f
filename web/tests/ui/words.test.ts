import { describe, expect, test } from 'vitest';
import type { SourceStats } from '../../src/core/types';
import { behindLive, bytes, clock, hostOf, share, shortAddress, summary } from '../../src/ui/words';

function source(changes: Partial<SourceStats>): SourceStats {
  return {
    node: `0x${'ab'.repeat(20)}`,
    endpoint: 'https://relay.example',
    role: 'primary',
    bytesDelivered: 0,
    bytesOnTime: 0,
    bytesRefused: 0,
    objects: 0,
    receipts: 0,
    leftBecause: null,
    ...changes,
  };
}

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [9_994, '9.99 kB'],
  [9_995, '10.0 kB'],
  [99_949, '99.9 kB'],
  [99_950, '100 kB'],
  [999_499, '999 kB'],
  [999_500, '1.00 MB'],
  [48_211_345, '48.2 MB'],
  [2e15, '2000 TB'],
])('%d bytes are %s', (count, text) => {
  expect(bytes(count)).toBe(text);
});

test.each([
  [0, 0, '0 %'],
  [0, 10, '0 %'],
  [1, 1000, '< 1 %'],
  [999, 1000, '99 %'],
  [1000, 1000, '100 %'],
  [2, 3, '67 %'],
])('%d of %d is %s', (part, whole, text) => {
  expect(share(part, whole)).toBe(text);
});

test.each([
  [0, '0:00'],
  [65, '1:05'],
  [3665, '1:01:05'],
  [-3, '0:00'],
])('a clock says of %d s: %s', (seconds, text) => {
  expect(clock(seconds)).toBe(text);
});

test.each([
  [0.4, 'live'],
  [1, '1 second behind live'],
  [61, '1 minute 1 second behind live'],
  [120, '2 minutes behind live'],
])('%d s behind the edge is said: %s', (seconds, text) => {
  expect(behindLive(seconds)).toBe(text);
});

test('an address is short, a host is all that is shown of a URL, other texts stay', () => {
  expect(shortAddress(`0x1234${'0'.repeat(32)}abcd`)).toBe('0x1234…abcd');
  expect(hostOf('https://relay.example:8443/path')).toBe('relay.example:8443');
  expect(hostOf('nonsense')).toBe('nonsense');
});

describe('the summary', () => {
  test('before anything arrived', () => {
    expect(summary([source({})])).toBe('Nothing has arrived yet.');
  });

  test('of relays and origin', () => {
    const sources = [
      source({ bytesDelivered: 750 }),
      source({ node: null, bytesDelivered: 250 }),
      source({ node: `0x${'cd'.repeat(20)}` }),
    ];
    expect(summary(sources)).toBe('1 relay has carried 75 % of 1.00 kB; the origin sent the rest.');
  });

  test('of the origin alone', () => {
    expect(summary([source({ node: null, bytesDelivered: 250 })])).toBe(
      'The origin itself sent all 250 B.',
    );
  });

  test('of relays alone', () => {
    const sources = [source({ bytesDelivered: 1 }), source({ node: '0x', bytesDelivered: 1 })];
    expect(summary(sources)).toBe('2 relays have carried 100 % of 2 B.');
  });
});
