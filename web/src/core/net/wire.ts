import type { components } from '../generated/coordinator-api';
import { type Hex, fromHex, toHex } from '../protocol/bytes';
import { MalformedError } from '../protocol/errors';
import type { Json } from '../protocol/exact-json';

/** Answers of servers as exact values: all throw MalformedError for what has another form. */

type Schemas = components['schemas'];

/** A generated type with its integers exact, its hex as hex, and without what this player does not read. */
type Exact<T> = {
  readonly [K in keyof T]: T[K] extends number ? bigint : T[K] extends object ? Exact<T[K]> : T[K];
};

export type Ticket = Omit<Exact<Schemas['SessionTicket']>, 'node' | 'viewer' | 'nonce'> & {
  readonly node: Hex;
  readonly viewer: Hex;
  /** Wider than 64 bits, so a decimal string on the wire. */
  readonly nonce: bigint;
};

type ConfigNumber =
  'chainId' | 'genesis' | 'epochSeconds' | 'intakeGraceSeconds' | 'rateSlackSeconds' | 'time';
export type Config = Exact<Pick<Schemas['Config'], ConfigNumber>> & { readonly epochBook: Hex };

export type Pool = Exact<Pick<Schemas['Pool'], 'poolId' | 'maxBytesPerSecond' | 'originUrl'>> & {
  readonly originKey: Hex;
};

/** A ticket as the coordinator gave it: `signature` is the ticket signer's. */
export type Admission = Pick<Schemas['Session'], 'endpoint'> & {
  readonly ticket: Ticket;
  readonly signature: Hex;
};

/** A node's answer to a ticket. */
export interface Opened {
  readonly sessionId: Hex;
  readonly creditBytes: bigint;
}

export function readConfig(value: Json): Config {
  const read = new Reader(value, 'config');
  return {
    chainId: read.uint('chainId', 64),
    epochBook: read.hex('epochBook', 20),
    genesis: read.uint('genesis', 64),
    epochSeconds: read.uint('epochSeconds', 64),
    intakeGraceSeconds: read.uint('intakeGraceSeconds', 64),
    rateSlackSeconds: read.uint('rateSlackSeconds', 64),
    time: read.uint('time', 64),
  };
}

export function readPool(value: Json): Pool {
  const read = new Reader(value, 'pool');
  return {
    poolId: read.uint('poolId', 32),
    originKey: read.hex('originKey', 20),
    originUrl: read.text('originUrl'),
    maxBytesPerSecond: read.uint('maxBytesPerSecond', 32),
  };
}

export function readAdmission(value: Json): Admission {
  const read = new Reader(value, 'session');
  const ticket = new Reader(read.value('ticket'), 'ticket');
  return {
    endpoint: read.text('endpoint'),
    signature: read.hex('signature', 65),
    ticket: {
      poolId: ticket.uint('poolId', 32),
      epoch: ticket.uint('epoch', 64),
      node: ticket.hex('node', 20),
      viewer: ticket.hex('viewer', 20),
      maxBytes: ticket.uint('maxBytes', 64),
      issuedAt: ticket.uint('issuedAt', 64),
      expiresAt: ticket.uint('expiresAt', 64),
      nonce: ticket.decimal('nonce'),
    },
  };
}

export function readOpened(value: Json): Opened {
  const read = new Reader(value, 'opened session');
  return { sessionId: read.hex('sessionId', 32), creditBytes: read.uint('creditBytes', 64) };
}

/** A ticket as it travels. */
export function ticketJson(ticket: Ticket): Json {
  return { ...ticket, nonce: ticket.nonce.toString() };
}

class Reader {
  readonly #fields: Readonly<Record<string, Json>>;
  readonly #what: string;

  constructor(value: Json, what: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new MalformedError(`${what} is no JSON object`);
    }
    this.#fields = value as Readonly<Record<string, Json>>;
    this.#what = what;
  }

  value(name: string): Json {
    const value = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
    if (value === undefined) throw new MalformedError(`${this.#what} lacks ${name}`);
    return value;
  }

  text(name: string): string {
    const value = this.value(name);
    if (typeof value !== 'string') throw this.#wrong(name);
    return value;
  }

  /** Lower-case, so that equal bytes are equal texts. */
  hex(name: string, length: number): Hex {
    return toHex(fromHex(this.text(name), length));
  }

  uint(name: string, bits: number): bigint {
    const value = this.value(name);
    if (typeof value !== 'bigint' || value < 0n || value >= 1n << BigInt(bits)) {
      throw this.#wrong(name);
    }
    return value;
  }

  decimal(name: string): bigint {
    const text = this.text(name);
    if (!/^[0-9]{1,78}$/.test(text)) throw this.#wrong(name);
    return BigInt(text);
  }

  #wrong(name: string): MalformedError {
    return new MalformedError(`${name} of ${this.#what} has another form than the API gives it`);
  }
}
