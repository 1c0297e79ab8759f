import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyMediaPlaylist } from '../../src/core/playlist/media-reader';
import { verifyMultivariantPlaylist } from '../../src/core/playlist/multivariant';
import type { Stream } from '../../src/core/playlist/signed-text';
import type { Hex } from '../../src/core/protocol/bytes';
import { MalformedError, SignatureError } from '../../src/core/protocol/errors';
import { vectors } from '../support/vectors';

interface PlaylistCase {
  readonly name: string;
  readonly rendition: string;
  readonly text: string;
  readonly refusal: '' | 'signature' | 'malformed';
  readonly media: object | null;
  readonly multivariant: object | null;
}

const file = vectors<PlaylistCase, { origin: string; poolId: string }>('playlists');
const stream: Stream = {
  poolId: Number(file.poolId),
  domain: { chainId: BigInt(file.chainId), epochBook: file.epochBook as Hex },
  origin: file.origin as Hex,
};

function verify(data: Uint8Array, rendition: string) {
  return rendition === ''
    ? verifyMultivariantPlaylist(data, stream)
    : verifyMediaPlaylist(data, rendition, stream);
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** As the vectors write it: integers as decimal strings, hashes with 0x. */
function written(playlist: object): unknown {
  return JSON.parse(
    JSON.stringify(playlist, (name, value: unknown) => {
      if (typeof value === 'number') return String(value);
      return name === 'sha256' ? `0x${String(value)}` : value;
    }),
  );
}

describe('the playlists of playlists.json', () => {
  const valid = file.cases.filter((each) => each.refusal === '');
  const refused = file.cases.filter((each) => each.refusal !== '');

  it.each(valid)('say what the vectors say: $name', (each) => {
    expect(written(verify(bytes(each.text), each.rendition))).toEqual(
      each.media ?? each.multivariant,
    );
  });

  it.each(refused)('are refused: $name', (each) => {
    // Where a playlist is wrong in both ways, the order of the checks decides; it is the same as Python's here.
    const Kind = each.refusal === 'signature' ? SignatureError : MalformedError;
    expect(() => verify(bytes(each.text), each.rendition)).toThrow(Kind);
  });

  it('are refused with any one byte changed, left out or put in', () => {
    const places = fc.record({
      each: fc.constantFrom(...valid),
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 255 }),
      change: fc.constantFrom('replace', 'remove', 'insert'),
    });
    fc.assert(
      fc.property(places, ({ each, at, byte, change }) => {
        const data = bytes(each.text);
        const place = at % data.length;
        fc.pre(change !== 'replace' || data[place] !== byte);
        const before = data.subarray(0, place);
        const after = data.subarray(change === 'insert' ? place : place + 1);
        const changed = [...before, ...(change === 'remove' ? [] : [byte]), ...after];
        expect(() => verify(new Uint8Array(changed), each.rendition)).toThrow();
      }),
      { numRuns: 200 },
    );
  });

  it('are refused beyond 1 MiB before anything is read', () => {
    expect(() => verify(new Uint8Array(1024 * 1024 + 1), 'source')).toThrow('at most');
  });
});
