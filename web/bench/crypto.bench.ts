import { describe, it } from 'vitest';
import { Cryptographer } from '../src/core/crypto/cryptographer';
import type { Hex } from '../src/core/protocol/bytes';
import { vectors } from '../tests/support/vectors';

/** What a viewer's device spends, on one thread: an operation's time is the `mean` in milliseconds. */

interface PlaylistCase {
  readonly name: string;
  readonly text: string;
}

const file = vectors<PlaylistCase, { origin: string; poolId: string }>('playlists');
const cryptographer = new Cryptographer();
await cryptographer.begin({
  poolId: Number(file.poolId),
  domain: { chainId: BigInt(file.chainId), epochBook: file.epochBook as Hex },
  origin: file.origin as Hex,
});
const [full, delta] = ['a full media playlist', 'a delta update'].map((name) =>
  new TextEncoder().encode(file.cases.find((each) => each.name === name)?.text ?? ''),
);
const megabyte = new Uint8Array(1_000_000).fill(7);

describe('a viewer', () => {
  it('hashes 1 MB', async ({ bench }) => {
    await bench('hashes 1 MB', async () => {
      await cryptographer.hash(megabyte);
    }).run();
  });

  it('signs a receipt', async ({ bench }) => {
    await bench('signs a receipt', async () => {
      await cryptographer.signReceipt({
        sessionId: `0x${'11'.repeat(32)}`,
        sequence: 7n,
        bytesDelivered: 5_000_000n,
        bytesOnTime: 5_000_000n,
        mediaSequence: 40n,
        signedAt: 1_700_000_000n,
      });
    }).run();
  });

  it('verifies a full playlist', async ({ bench }) => {
    await bench('verifies a full playlist', async () => {
      await cryptographer.readMedia(full ?? new Uint8Array(), 'source');
    }).run();
  });

  it('verifies a delta update', async ({ bench }) => {
    await bench('verifies a delta update', async () => {
      await cryptographer.readMedia(delta ?? new Uint8Array(), 'source');
    }).run();
  });
});
