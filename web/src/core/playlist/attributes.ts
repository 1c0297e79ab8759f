import { MalformedError, printable } from '../protocol/errors';

/** The values of HLS tags, read by the letter of RFC 8216bis section 4.2. All functions throw MalformedError. */

const ATTRIBUTE = /([A-Z0-9-]+)=("[^"]*"|[^",\s]+)(,(?=[A-Z0-9-])|$)/y;
const INTEGER = /^(?:0|[1-9][0-9]{0,14})$/;
const DECIMAL = /^([0-9]{1,6})(?:\.([0-9]{1,6}))?$/;
const RESOLUTION = /^([1-9][0-9]{0,4})x([1-9][0-9]{0,4})$/;

/** A decimal integer of at most 15 digits: one that a number holds exactly. */
export function integer(text: string | null | undefined, what: string): number {
  if (text == null || !INTEGER.test(text)) {
    throw new MalformedError(`${what} must be a decimal integer, got ${printable(String(text))}`);
  }
  return Number(text);
}

/** A decimal number of seconds, with at most six places, as microseconds. */
export function micros(text: string | null | undefined, what: string): number {
  const match = DECIMAL.exec(text ?? '');
  if (match === null) {
    throw new MalformedError(`${what} must be decimal seconds, got ${printable(String(text))}`);
  }
  return Number(match[1]) * 1_000_000 + Number((match[2] ?? '').padEnd(6, '0'));
}

/** An attribute list: each name once, and none but the `known` ones, so that all players read the same. */
export class Attributes {
  readonly #tag: string;
  readonly #values = new Map<string, string>();

  constructor(text: string | null, tag: string, known: readonly string[]) {
    this.#tag = tag;
    const rest = text ?? '';
    const pattern = new RegExp(ATTRIBUTE);
    let at = 0;
    for (let match = pattern.exec(rest); match !== null; match = pattern.exec(rest)) {
      const [whole, name = '', value = '', separator] = match;
      at += whole.length;
      if (this.#values.has(name) || !known.includes(name)) {
        throw new MalformedError(`${tag} has ${name} twice, or may not have it`);
      }
      this.#values.set(name, value);
      if (separator === '') break;
    }
    if (at !== rest.length || this.#values.size === 0) {
      throw new MalformedError(`${tag} lacks a list of attributes, got ${printable(rest)}`);
    }
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** A quoted string that must be there. */
  text(name: string): string {
    const value = this.#values.get(name) ?? '';
    if (!value.startsWith('"')) {
      throw new MalformedError(`${this.#tag} must have ${name} in quotes`);
    }
    return value.slice(1, -1);
  }

  optionalText(name: string): string | null {
    return this.has(name) ? this.text(name) : null;
  }

  /** An integer that must be there. */
  integer(name: string): number {
    return integer(this.#values.get(name), `${name} of ${this.#tag}`);
  }

  optionalInteger(name: string): number | null {
    return this.has(name) ? this.integer(name) : null;
  }

  /** The microseconds of a duration that must be there. */
  micros(name: string): number {
    return micros(this.#values.get(name), `${name} of ${this.#tag}`);
  }

  optionalMicros(name: string): number | null {
    return this.has(name) ? this.micros(name) : null;
  }

  /** Whether the attribute is there; it may only be YES. */
  isYes(name: string): boolean {
    const value = this.#values.get(name);
    if (value !== undefined && value !== 'YES') {
      throw new MalformedError(`${name} of ${this.#tag} may only be YES`);
    }
    return value !== undefined;
  }

  /** Width and height in pixels, or null. */
  optionalResolution(name: string): readonly [number, number] | null {
    if (!this.has(name)) return null;
    const match = RESOLUTION.exec(this.#values.get(name) ?? '');
    if (match === null) throw new MalformedError(`${name} of ${this.#tag} must be WIDTHxHEIGHT`);
    return [Number(match[1]), Number(match[2])];
  }
}
