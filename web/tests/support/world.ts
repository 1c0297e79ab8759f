import { createHash } from 'node:crypto';
import { vi } from 'vitest';
// Loaded before the fake clock runs; the watch itself loads it only where there are no workers.
import '../../src/core/crypto/cryptographer';
import { type Hex, fromHex, toHex } from '../../src/core/protocol/bytes';
import { type Json, parseExact, stringifyExact } from '../../src/core/protocol/exact-json';
import { addressOf, recover, sign } from '../../src/core/protocol/signatures';
import {
  type Receipt,
  type SessionTicket,
  digest,
  structHash,
} from '../../src/core/protocol/typed-data';
import type { Consent, SourceStats } from '../../src/core/types';
import { Watch } from '../../src/core/watch';

/** A coordinator, relays and an origin behind a fake `fetch`, on a fake clock. Segments last a second. */

const CHAIN_ID = 31337n;
const EPOCH_BOOK: Hex = `0x${'eb'.repeat(20)}`;
const POOL_ID = 1;
const ORIGIN_KEY = fromHex(`0x${'07'.repeat(32)}`, 32);
const GENESIS = 1_700_000_000n;
const WINDOW_SEGMENTS = 6;
const domain = { chainId: CHAIN_ID, epochBook: EPOCH_BOOK };

type Reply = Response | Promise<Response>;

export class FakeRelay {
  readonly node: Hex;
  readonly endpoint: string;
  /** Refuses connections. */
  isDown = false;
  /** Takes requests and never answers. */
  isHung = false;
  isDraining = false;
  /** Sends other bytes of the same length. */
  isCorrupt = false;
  delaySeconds = 0;
  /** Its playlists stand still from this second on. */
  stoodAt: number | null = null;
  creditBytes = 1_000_000;
  /** Takes so many receipts without an answer, and forgets them. */
  silentReceipts = 0;
  /** Requests that came with an expired ticket. */
  expired = 0;
  readonly sessions = new Map<string, FakeSession>();
  /** The paths that it was asked for. */
  readonly asked: string[] = [];

  constructor(index: number) {
    this.node = `0x${index.toString(16).padStart(2, '0').repeat(20)}`;
    this.endpoint = `https://relay-${index}.test`;
  }

  get receipts(): Receipt[] {
    return [...this.sessions.values()].flatMap((each) => each.receipts);
  }
}

interface FakeSession {
  readonly ticket: SessionTicket;
  readonly receipts: Receipt[];
  /** When each receipt came, in seconds. */
  readonly receiptTimes: number[];
  unpaidBytes: number;
  paidBytes: number;
}

export class World {
  readonly relays: FakeRelay[];
  readonly origin = { isDown: false, asked: [] as string[] };
  isCoordinatorDown = false;
  epochSeconds = 3600n;
  ticketSeconds = 300n;
  maxBytes = 10_000_000n;
  tickets: SessionTicket[] = [];
  /** What the decoder has left; 0: it stands still. */
  readonly deadlines = {
    left: 4,
    secondsLeft: () => this.deadlines.left,
    arrived: () => this.deadlines.left > 0,
  };
  readonly changes: SourceStats[] = [];
  /** The page that watches. */
  readonly page = new AbortController();
  originUrl = 'https://origin.test/';
  /** None, unless a test gives one. */
  createWorker: () => Worker = () => {
    throw new Error('there are no workers here');
  };
  /** What the coordinator was asked. */
  readonly asked: string[] = [];
  coordinatorSeconds = 0;
  restarts = 0;

  constructor(relays: number) {
    this.relays = Array.from({ length: relays }, (_, index) => new FakeRelay(index + 1));
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
    });
    // Hashing on this thread takes no time of the fake clock, however busy the machine is.
    const { crypto } = globalThis;
    vi.stubGlobal('crypto', {
      getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes),
    });
    vi.stubGlobal('fetch', (input: string, init?: RequestInit) => this.#fetch(input, init));
  }

  relay(index: number): FakeRelay {
    const relay = this.relays[index];
    if (relay === undefined) throw new RangeError(`there is no relay ${index}`);
    return relay;
  }

  begin(consent: Consent = 'relays', originKey?: string): Promise<Watch> {
    return this.during(this.beginning(consent, originKey));
  }

  /** The same, for a test that lets the time pass itself. */
  beginning(consent: Consent = 'relays', originKey?: string): Promise<Watch> {
    return Watch.begin({
      coordinatorUrl: 'https://coordinator.test',
      poolId: POOL_ID,
      originKey,
      consent,
      deadlines: this.deadlines,
      createWorker: () => this.createWorker(),
      signal: this.page.signal,
      onSource: (stats) => this.changes.push(stats),
      onRestart: () => {
        this.restarts += 1;
      },
    });
  }

  /** The newest complete segment. */
  get edge(): number {
    return Math.floor(performance.now() / 1000) + WINDOW_SEGMENTS;
  }

  /** Let so many seconds pass, with all that happens in them. */
  async pass(seconds: number): Promise<void> {
    for (let step = 0; step < seconds * 20; step += 1) {
      await breathe();
      await vi.advanceTimersByTimeAsync(50);
    }
    await breathe();
  }

  /** Let time pass until a promise is settled. */
  async during<T>(promise: Promise<T>, maxSeconds = 60): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await breathe();
    for (let step = 0; !(isSettled as boolean) && step < maxSeconds * 20; step += 1) {
      await vi.advanceTimersByTimeAsync(50);
      await breathe();
    }
    if (!(isSettled as boolean)) throw new Error(`not settled within ${maxSeconds} s`);
    return promise;
  }

  async playlist(watch: Watch): Promise<string> {
    const { signal } = new AbortController();
    const read = watch.downloader.playlist('source.m3u8', new URLSearchParams(), signal);
    return (await this.during(read)).text;
  }

  /** The newest segment, by way of a fresh playlist: its bytes and their seconds of travel. */
  async newest(watch: Watch): Promise<{ name: string; body: Uint8Array; seconds: number }> {
    await this.playlist(watch);
    const name = segmentName(this.edge);
    const began = performance.now();
    const answer = await this.during(
      watch.downloader.object(name, new AbortController().signal, () => undefined),
    );
    return { name, body: answer.body, seconds: (performance.now() - began) / 1000 };
  }

  #fetch(input: string, init: RequestInit = {}): Promise<Response> {
    const { origin: host, pathname, searchParams } = new URL(input);
    const body = typeof init.body === 'string' ? parseExact(init.body) : null;
    if (host === 'https://coordinator.test') {
      this.asked.push(pathname);
      return reply(
        init,
        later(this.coordinatorSeconds, () => this.#coordinate(pathname, body)),
      );
    }
    if (host === 'https://origin.test') {
      this.origin.asked.push(pathname);
      if (this.origin.isDown) return Promise.reject(new TypeError('connection refused'));
      return reply(init, this.#media(lastOf(pathname), false, null));
    }
    const relay = this.relays.find((each) => each.endpoint === host);
    if (relay === undefined || relay.isDown) {
      return Promise.reject(new TypeError('connection refused'));
    }
    relay.asked.push(pathname + searchParams.toString());
    if (pathname === '/v1/receipts' && relay.silentReceipts > 0) {
      relay.silentReceipts -= 1;
      return Promise.reject(new TypeError('connection reset'));
    }
    if (relay.isHung) return reply(init, new Promise(() => undefined));
    return reply(
      init,
      later(relay.delaySeconds, () => this.#relay(relay, pathname, body, init)),
    );
  }

  #coordinate(path: string, body: Json): Response {
    if (this.isCoordinatorDown) return problem(503, 'not-ready');
    const time = this.time;
    if (path === '/v1/config') {
      return answer({
        chainId: CHAIN_ID,
        epochBook: EPOCH_BOOK,
        genesis: GENESIS,
        epochSeconds: this.epochSeconds,
        intakeGraceSeconds: 60n,
        rateSlackSeconds: 30n,
        time,
      });
    }
    if (path === `/v1/pools/${POOL_ID}`) {
      return answer({
        poolId: BigInt(POOL_ID),
        originKey: addressOf(ORIGIN_KEY),
        originUrl: this.originUrl,
        maxBytesPerSecond: 1_000_000n,
      });
    }
    if (path !== '/v1/sessions') return problem(404, 'pool-unknown');
    const request = body as { viewer: Hex; excludedNodes: Hex[] };
    const relay = this.relays.find((each) => !request.excludedNodes.includes(each.node));
    if (relay === undefined) return problem(503, 'no-node');
    const epoch = (time - GENESIS) / this.epochSeconds;
    const ticket: SessionTicket = {
      poolId: BigInt(POOL_ID),
      epoch,
      node: relay.node,
      viewer: request.viewer,
      maxBytes: this.maxBytes,
      issuedAt: time,
      expiresAt: lesser(time + this.ticketSeconds, this.#epochEnd(epoch)),
      nonce: (1n << 200n) + BigInt(this.tickets.length),
    };
    this.tickets.push(ticket);
    return answer({
      ticket: { ...ticket, nonce: ticket.nonce.toString() },
      signature: `0x${'1b'.repeat(65)}`,
      endpoint: relay.endpoint,
    });
  }

  #epochEnd(epoch: bigint): bigint {
    return GENESIS + (epoch + 1n) * this.epochSeconds;
  }

  /** The coordinator's clock, which no wall clock of the viewer can change. */
  get time(): bigint {
    return GENESIS + 100n + BigInt(Math.floor(performance.now() / 1000));
  }

  #relay(relay: FakeRelay, path: string, body: Json, init: RequestInit): Response {
    if (path === '/v1/sessions') return this.#open(relay, body);
    if (path === '/v1/receipts') return this.#receive(relay, body);
    const id = new Headers(init.headers).get('StreamrP2P-Session') ?? '';
    const session = relay.sessions.get(id);
    if (session === undefined) return problem(401, 'session-unknown');
    if (this.time >= session.ticket.expiresAt) {
      relay.expired += 1;
      return problem(403, 'ticket-expired');
    }
    const name = lastOf(path);
    if (!name.endsWith('.m3u8')) {
      const length = objectBytes(name).length;
      if (session.unpaidBytes > 0 && session.unpaidBytes + length > relay.creditBytes) {
        return problem(402, 'payment-required');
      }
      session.unpaidBytes += length;
    }
    return this.#media(name, relay.isCorrupt, relay.stoodAt, relay.isDraining);
  }

  #open(relay: FakeRelay, body: Json): Response {
    const { ticket: wire } = body as { ticket: Record<string, bigint | string> };
    const ticket = { ...wire, nonce: BigInt(wire['nonce'] ?? 0) } as unknown as SessionTicket;
    const sessionId = toHex(structHash('SessionTicket', ticket));
    relay.sessions.set(sessionId, {
      ticket,
      receipts: [],
      receiptTimes: [],
      unpaidBytes: 0,
      paidBytes: 0,
    });
    return answer({ sessionId, creditBytes: BigInt(relay.creditBytes) });
  }

  #receive(relay: FakeRelay, body: Json): Response {
    const { receipt, signature } = body as unknown as { receipt: Receipt; signature: Hex };
    const session = relay.sessions.get(receipt.sessionId);
    if (session === undefined) return problem(401, 'session-unknown');
    const signer = recover(digest('Receipt', receipt, domain), fromHex(signature, 65));
    if (signer !== session.ticket.viewer) return problem(422, 'receipt-invalid');
    session.receipts.push(receipt);
    session.receiptTimes.push(performance.now() / 1000);
    const paid = Number(receipt.bytesDelivered);
    session.unpaidBytes -= paid - session.paidBytes;
    session.paidBytes = paid;
    return new Response(null, { status: 204 });
  }

  #media(name: string, isCorrupt: boolean, stoodAt: number | null, isDraining = false): Response {
    const headers: HeadersInit = isDraining ? { 'StreamrP2P-Draining': '1' } : {};
    if (name === 'live.m3u8')
      return new Response(signed(MULTIVARIANT, this.#second(stoodAt)), { headers });
    if (name === 'source.m3u8') {
      const second = this.#second(stoodAt);
      return new Response(signed(mediaText(second + WINDOW_SEGMENTS), second), { headers });
    }
    const body = objectBytes(name);
    if (isCorrupt) body[0] = 255 - (body[0] ?? 0);
    return new Response(body, { headers });
  }

  #second(stoodAt: number | null): number {
    return stoodAt ?? Math.floor(performance.now() / 1000);
  }
}

export function segmentName(mediaSequence: number): string {
  return `source-${mediaSequence.toString().padStart(8, '0')}.m4s`;
}

/** The origin's bytes under a name. */
export function objectBytes(name: string): Uint8Array<ArrayBuffer> {
  const length = 20_000 + (Number(/\d{8}/.exec(name)?.[0] ?? 0) % 7) * 100;
  return new Uint8Array(length).fill(name.charCodeAt(name.length - 5));
}

const MULTIVARIANT = [
  '#EXTM3U',
  '#EXT-X-VERSION:9',
  '#EXT-X-STREAMRP2P-MULTIVARIANT',
  '#EXT-X-STREAM-INF:BANDWIDTH=200000,RESOLUTION=640x360',
  'source.m3u8',
  '',
].join('\n');

function mediaText(edge: number): string {
  const first = edge - WINDOW_SEGMENTS + 1;
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:9',
    '#EXT-X-TARGETDURATION:1',
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    '#EXT-X-STREAMRP2P-RENDITION:source',
  ];
  for (let at = first; at <= edge; at += 1) {
    const name = segmentName(at);
    const bytes = objectBytes(name);
    const hash = createHash('sha256').update(bytes).digest('hex');
    lines.push(`#EXT-X-STREAMRP2P-SEGMENT:SHA256=${hash},BYTES=${bytes.length}`);
    lines.push('#EXTINF:1.000000,', name);
  }
  return `${lines.join('\n')}\n`;
}

function signed(text: string, second: number): string {
  const mediaSequence = BigInt(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0);
  const publishedAt = 1_600_000_000n + BigInt(second);
  const contentHash: Hex = `0x${createHash('sha256').update(text).digest('hex')}`;
  const message = { poolId: BigInt(POOL_ID), mediaSequence, contentHash, publishedAt };
  const signature = toHex(sign(digest('Playlist', message, domain), ORIGIN_KEY));
  return `${text}#EXT-X-STREAMRP2P-SIGNATURE:PUBLISHED-AT=${publishedAt.toString()},SIGNATURE=${signature}\n`;
}

function lesser(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function answer(value: Json): Response {
  return new Response(stringifyExact(value), { status: 200 });
}

function problem(status: number, slug: string): Response {
  const type = `urn:streamrp2p:problem:${slug}`;
  return new Response(JSON.stringify({ type, title: slug, status, detail: slug }), { status });
}

function later(seconds: number, act: () => Response): Reply {
  if (seconds === 0) return act();
  return new Promise((resolve) => {
    setTimeout(() => {
      resolve(act());
    }, seconds * 1000);
  });
}

/** As `fetch` does it: rejects as soon as the request is aborted. */
function reply(init: RequestInit, response: Reply): Promise<Response> {
  return new Promise((resolve, reject) => {
    const fail = () => {
      reject(new DOMException('aborted', 'AbortError'));
    };
    if (init.signal?.aborted === true) fail();
    init.signal?.addEventListener('abort', fail);
    Promise.resolve(response).then(resolve, reject);
  });
}

/** Bodies take turns of the real event loop, which the fake clock does not give. */
async function breathe(): Promise<void> {
  for (let turn = 0; turn < 6; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
