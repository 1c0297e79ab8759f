import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GoneError } from '../../src/core/sources/faults';
import type { SourceStats } from '../../src/core/types';
import type { Watch } from '../../src/core/watch';
import { FakeWorker } from '../support/worker';
import { type FakeRelay, World, objectBytes, segmentName } from '../support/world';

const watches: { world: World; watch: Watch }[] = [];

async function begun(world: World, consent: 'relays' | 'origin' = 'relays'): Promise<Watch> {
  const watch = await world.begin(consent);
  watches.push({ world, watch });
  await world.pass(0.1);
  return watch;
}

function statsOf(watch: Watch, relay: FakeRelay | null): SourceStats {
  const found = watch.sources.find((each) => each.node === (relay?.node ?? null));
  if (found === undefined) throw new Error('the source had no part in the watch');
  return found;
}

afterEach(async () => {
  for (const { world, watch } of watches.splice(0)) await world.during(watch.end());
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a watch', () => {
  it('has a primary and a warm standby with a session of its own', async () => {
    const world = new World(3);
    const watch = await begun(world);
    expect(statsOf(watch, world.relay(0)).role).toBe('primary');
    expect(statsOf(watch, world.relay(1)).role).toBe('standby');
    expect(world.relay(1).sessions.size).toBe(1);
    const before = world.relay(1).asked.length;
    await world.pass(9);
    expect(world.relay(1).asked.length - before).toBeGreaterThanOrEqual(2);
    expect(world.relay(2).asked).toEqual([]);
  });

  it('pays about every second, cumulatively, for all that it got', async () => {
    const world = new World(2);
    const watch = await begun(world);
    let bytes = 0;
    for (let count = 0; count < 12; count += 1) {
      bytes += (await world.newest(watch)).body.length;
      await world.pass(0.5);
    }
    await world.pass(1.5);
    const [session] = world.relay(0).sessions.values();
    const receipts = session?.receipts ?? [];
    const last = receipts.at(-1);
    expect(last?.bytesDelivered).toBe(BigInt(bytes));
    expect(last?.bytesOnTime).toBe(BigInt(bytes));
    for (const [index, each] of receipts.slice(1).entries()) {
      const before = receipts[index];
      expect(each.sequence).toBeGreaterThan(before?.sequence ?? 0n);
      expect(each.bytesDelivered).toBeGreaterThan(before?.bytesDelivered ?? 0n);
      expect(each.signedAt).toBeGreaterThanOrEqual(before?.signedAt ?? 0n);
    }
    const times = session?.receiptTimes ?? [];
    for (const [index, at] of times.slice(1).entries()) {
      expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(0.95);
    }
    expect(statsOf(watch, world.relay(0)).receipts).toBe(receipts.length);
  });

  it('pays what is left when it ends, and when the page goes away', async () => {
    const world = new World(1);
    const watch = await begun(world);
    await world.newest(watch);
    await world.pass(1);
    const { body } = await world.newest(watch);
    watch.farewell();
    await world.pass(0.05);
    const sent = world.relay(0).receipts;
    expect(sent.at(-1)?.bytesDelivered).toBeGreaterThanOrEqual(BigInt(2 * body.length - 700));
    await world.newest(watch);
    await world.during(watch.end());
    expect(world.relay(0).receipts.at(-1)?.bytesDelivered).toBeGreaterThan(
      sent.at(-1)?.bytesDelivered ?? 0n,
    );
  });

  it('sends a receipt again that got no answer, though nothing else is fetched', async () => {
    const world = new World(1);
    const watch = await begun(world);
    await world.playlist(watch);
    world.relay(0).silentReceipts = 1;
    const { body } = await world.newest(watch);
    await world.pass(3);
    expect(world.relay(0).receipts.at(-1)?.bytesDelivered).toBe(BigInt(body.length));
  });

  it('counts late bytes as delivered and not as on time', async () => {
    const world = new World(1);
    const watch = await begun(world);
    world.deadlines.left = 0;
    const { body } = await world.newest(watch);
    await world.pass(1.5);
    const last = world.relay(0).receipts.at(-1);
    expect(last?.bytesDelivered).toBe(BigInt(body.length));
    expect(last?.bytesOnTime).toBe(0n);
  });

  it('asks nobody but the origin when that is what the viewer chose', async () => {
    const world = new World(2);
    const watch = await begun(world, 'origin');
    await world.newest(watch);
    await world.pass(5);
    expect(world.tickets).toEqual([]);
    expect(world.relays.flatMap((each) => each.asked)).toEqual([]);
    expect(statsOf(watch, null).role).toBe('origin');
  });

  it('does not begin when the coordinator names another origin than the page', async () => {
    const world = new World(1);
    await expect(world.begin('relays', `0x${'12'.repeat(20)}`)).rejects.toThrow("origin's key");
    expect(world.relay(0).asked).toEqual([]);
  });

  it('is not disturbed by a wall clock that jumps', async () => {
    const world = new World(1);
    world.ticketSeconds = 60n;
    const watch = await begun(world);
    vi.setSystemTime(new Date(2100, 0));
    await world.newest(watch);
    await world.pass(30);
    vi.setSystemTime(1000);
    await world.newest(watch);
    await world.pass(2);
    // Not renewed before it is due, and signed by the coordinator's time.
    expect(world.tickets.length).toBe(1);
    const signedAt = world.relay(0).receipts.at(-1)?.signedAt ?? 0n;
    expect(Number(world.time - signedAt)).toBeLessThanOrEqual(3);
    expect(signedAt).toBeLessThanOrEqual(world.time);
    await world.pass(20);
    expect(world.tickets.length).toBe(2);
  });
});

describe('a watch that ends', () => {
  /** Worlds with a worker, which is gone as soon as the watch is. */
  function withWorker(relays: number): { world: World; worker: FakeWorker } {
    const worker = new FakeWorker();
    const world = new World(relays);
    world.createWorker = () => worker as unknown as Worker;
    return { world, worker };
  }

  it('while it begins speaks to nobody any more, and lets its worker go', async () => {
    const { world, worker } = withWorker(2);
    world.coordinatorSeconds = 1;
    const beginning = expect(world.beginning()).rejects.toThrow('aborted');
    await world.pass(2.5);
    expect(world.asked).toEqual(['/v1/pools/1', '/v1/config', '/v1/sessions']);
    world.page.abort();
    await world.pass(10);
    await beginning;
    expect(world.asked.length).toBe(3);
    expect(world.relays.flatMap((each) => each.asked)).toEqual([]);
    expect(worker.isTerminated).toBe(true);
  });

  it('before it began, as the origin has no address, lets its worker go', async () => {
    const { world, worker } = withWorker(1);
    world.originUrl = 'ftp://origin.test/';
    await expect(world.begin()).rejects.toThrow('URL');
    expect(worker.isTerminated).toBe(true);
  });

  it('while a standby is looked for leaves no error behind', async () => {
    const { world, worker } = withWorker(2);
    world.coordinatorSeconds = 0.4;
    const watch = await world.begin();
    await world.during(watch.end());
    await world.pass(2);
    expect(worker.isTerminated).toBe(true);
    expect(world.relay(1).asked).toEqual([]);
  });
});

describe('tickets', () => {
  it('are renewed before they end, without a gap, and the old session is paid', async () => {
    const world = new World(1);
    world.ticketSeconds = 40n;
    const watch = await begun(world);
    for (let second = 0; second < 60; second += 1) {
      const { name, body } = await world.newest(watch);
      expect(body).toEqual(objectBytes(name));
      await world.pass(0.95);
    }
    expect(world.relay(0).sessions.size).toBeGreaterThanOrEqual(2);
    const [first] = world.relay(0).sessions.values();
    expect(first?.unpaidBytes).toBe(0);
    expect(watch.sources.map((each) => each.role)).toEqual(['primary']);
  });

  it('that last to the end of their epoch are renewed in the next', async () => {
    const world = new World(1);
    world.epochSeconds = 120n;
    world.ticketSeconds = 600n;
    const watch = await begun(world);
    // The watch begins 100 seconds into the epoch.
    await world.pass(19);
    expect(world.tickets.length).toBe(1);
    await world.pass(3);
    expect(world.tickets.map((each) => each.epoch)).toEqual([0n, 1n]);
    await world.newest(watch);
  });

  it('that ended with their epoch are shown to nobody', async () => {
    const world = new World(2);
    world.epochSeconds = 103n;
    world.ticketSeconds = 600n;
    const watch = await begun(world);
    world.coordinatorSeconds = 0.3;
    while (performance.now() < 5_000) {
      const { name, body } = await world.newest(watch);
      expect(body).toEqual(objectBytes(name));
      await world.pass(0.1);
    }
    expect(world.tickets.map((each) => each.epoch)).toEqual([0n, 0n, 1n, 1n]);
    expect(world.relays.map((each) => each.expired)).toEqual([0, 0]);
    expect(world.origin.asked).toEqual([]);
  });

  it('are not overdrawn by objects that are asked for at once', async () => {
    const world = new World(1);
    world.maxBytes = 50_000n;
    const watch = await begun(world);
    await world.playlist(watch);
    const { signal } = new AbortController();
    const get = (back: number) =>
      watch.downloader.object(segmentName(world.edge - back), signal, () => undefined);
    const all = await world.during(Promise.all([get(0), get(1), get(2)]));
    expect(all.map((each) => each.body.length > 0)).toEqual([true, true, true]);
    await world.pass(2);
    for (const session of world.relay(0).sessions.values()) {
      expect(session.paidBytes).toBeLessThanOrEqual(50_000);
    }
  });

  it('whose credit is used up are replaced', async () => {
    const world = new World(1);
    world.maxBytes = 50_000n;
    const watch = await begun(world);
    for (let count = 0; count < 5; count += 1) {
      await world.newest(watch);
      await world.pass(2.5);
    }
    for (const session of world.relay(0).sessions.values()) {
      expect(session.receipts.at(-1)?.bytesDelivered ?? 0n).toBeLessThanOrEqual(50_000n);
    }
    expect(world.relay(0).sessions.size).toBeGreaterThanOrEqual(3);
  });
});

describe('a relay that asks for payment', () => {
  it('is paid before its credit is used up, and asked again after a 402', async () => {
    const world = new World(1);
    world.relay(0).creditBytes = 25_000;
    const watch = await begun(world);
    for (let count = 0; count < 5; count += 1) {
      const { name, body } = await world.newest(watch);
      expect(body).toEqual(objectBytes(name));
    }
    const [session] = world.relay(0).sessions.values();
    if (session === undefined) throw new Error('no session');
    session.unpaidBytes += 10_000;
    session.paidBytes -= 10_000;
    await world.newest(watch);
    expect(statsOf(watch, world.relay(0)).role).toBe('primary');
    expect(world.origin.asked).toEqual([]);
  });
});

describe('a relay that fails', () => {
  it('is replaced by the standby within the same object, and a new standby is found', async () => {
    const world = new World(3);
    const watch = await begun(world);
    await world.playlist(watch);
    world.relay(0).isDown = true;
    const { name, body, seconds } = await world.newest(watch);
    expect(body).toEqual(objectBytes(name));
    expect(seconds).toBe(0);
    await world.pass(0.5);
    expect(statsOf(watch, world.relay(0)).leftBecause).toBe('unreachable');
    expect(statsOf(watch, world.relay(1)).role).toBe('primary');
    expect(statsOf(watch, world.relay(2)).role).toBe('standby');
    expect(world.origin.asked).toEqual([]);
  });

  it('is never asked again after wrong bytes, which are counted as refused and never paid', async () => {
    const world = new World(2);
    const watch = await begun(world);
    await world.playlist(watch);
    world.relay(0).isCorrupt = true;
    const { name, body } = await world.newest(watch);
    expect(body).toEqual(objectBytes(name));
    const stats = statsOf(watch, world.relay(0));
    expect(stats.leftBecause).toBe('corrupt-object');
    expect(stats.bytesRefused).toBe(body.length);
    expect(stats.bytesDelivered).toBe(0);
    world.relay(0).isCorrupt = false;
    const asked = world.relay(0).asked.length;
    await world.pass(200);
    expect(world.relay(0).asked.length).toBe(asked);
    expect(world.relay(0).receipts).toEqual([]);
  });

  it('is helped out by the standby in half the time that is left, then asked second, then left', async () => {
    const world = new World(2);
    const watch = await begun(world);
    await world.playlist(watch);
    world.deadlines.left = 1;
    world.relay(0).delaySeconds = 2.5;
    const { seconds } = await world.newest(watch);
    expect(seconds).toBeLessThanOrEqual(0.6);
    expect(statsOf(watch, world.relay(1)).role).toBe('primary');
    expect(statsOf(watch, world.relay(0)).role).toBe('standby');
    // What was stopped on its way is nobody's.
    expect(statsOf(watch, world.relay(0)).bytesDelivered).toBe(0);
  });

  it('is left when its playlist stands still', async () => {
    const world = new World(2);
    const watch = await begun(world);
    await world.playlist(watch);
    world.relay(0).stoodAt = performance.now() / 1000 - (performance.now() % 1000) / 1000;
    for (let second = 0; second < 14; second += 1) {
      await world.playlist(watch);
      await world.pass(1);
    }
    expect(world.changes.some((each) => each.leftBecause === 'stale-playlist')).toBe(true);
    expect(statsOf(watch, world.relay(1)).role).toBe('primary');
  });

  it('is left when its playlist goes back', async () => {
    const world = new World(2);
    const watch = await begun(world);
    await world.pass(5);
    await world.playlist(watch);
    world.relay(0).stoodAt = 1;
    await world.playlist(watch);
    expect(statsOf(watch, world.relay(0)).leftBecause).toBe('stale-playlist');
  });

  it('is left gently when it drains', async () => {
    const world = new World(2);
    const watch = await begun(world);
    world.relay(0).isDraining = true;
    await world.playlist(watch);
    const { body } = await world.newest(watch);
    expect(statsOf(watch, world.relay(0)).leftBecause).toBe('draining');
    expect(statsOf(watch, world.relay(1)).bytesDelivered).toBe(body.length);
  });

  it('is found again after the origin had to do', async () => {
    const world = new World(2);
    const watch = await begun(world);
    await world.playlist(watch);
    for (const relay of world.relays) relay.isDown = true;
    const { name, body, seconds } = await world.newest(watch);
    expect(body).toEqual(objectBytes(name));
    expect(seconds).toBe(0);
    expect(statsOf(watch, null).role).toBe('origin');
    for (const relay of world.relays) relay.isDown = false;
    await world.pass(30);
    await world.newest(watch);
    expect(statsOf(watch, null)).toMatchObject({ role: 'left', leftBecause: 'relay-found' });
    expect(watch.sources.filter((each) => each.role === 'primary').length).toBe(1);
    expect(watch.sources.filter((each) => each.role === 'standby').length).toBe(1);
  });
});

describe('an object', () => {
  it('that is aborted is neither counted nor paid', async () => {
    const world = new World(1);
    const watch = await begun(world);
    await world.playlist(watch);
    world.relay(0).delaySeconds = 1;
    const controller = new AbortController();
    const name = segmentName(world.edge);
    const loading = watch.downloader.object(name, controller.signal, () => undefined);
    const outcome = expect(loading).rejects.toThrow('stopped');
    await world.pass(0.2);
    controller.abort();
    await outcome;
    await world.pass(3);
    expect(statsOf(watch, world.relay(0)).bytesDelivered).toBe(0);
    expect(world.relay(0).receipts).toEqual([]);
    expect(world.origin.asked).toEqual([]);
  });

  it('that no signed playlist names is asked of nobody', async () => {
    const world = new World(1);
    const watch = await begun(world);
    await world.playlist(watch);
    const asked = world.relay(0).asked.length;
    const { signal } = new AbortController();
    await expect(
      watch.downloader.object('other.m4s', signal, () => undefined),
    ).rejects.toBeInstanceOf(GoneError);
    expect(world.relay(0).asked.length).toBe(asked);
  });

  it('comes out as the origin signed it or not at all, whatever the sources do', async () => {
    const fault = fc.constantFrom('none', 'corrupt', 'down', 'hung', 'slow', 'draining');
    const days = fc.array(fc.tuple(fault, fault), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(days, async (course) => {
        const world = new World(2);
        const watch = await world.begin();
        for (const faults of course) {
          for (const [index, each] of faults.entries()) {
            const relay = world.relay(index);
            relay.isCorrupt = each === 'corrupt';
            relay.isDown = each === 'down';
            relay.isHung = each === 'hung';
            relay.isDraining = each === 'draining';
            relay.delaySeconds = each === 'slow' ? 1.5 : 0;
          }
          const { name, body } = await world.newest(watch);
          expect(body).toEqual(objectBytes(name));
          await world.pass(1);
        }
        for (const relay of world.relays) relay.isDown = relay.isHung = false;
        await world.during(watch.end());
        for (const relay of world.relays) {
          const delivered = watch.sources.find((each) => each.node === relay.node);
          const paid = [...relay.sessions.values()].reduce((sum, each) => sum + each.paidBytes, 0);
          expect(paid).toBeLessThanOrEqual(delivered?.bytesDelivered ?? 0);
        }
      }),
      { numRuns: 15 },
    );
  }, 60_000);
});
