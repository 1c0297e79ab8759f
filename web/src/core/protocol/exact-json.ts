import { MalformedError } from './errors';

/**
 * JSON whose integers stay exact. The protocol's numbers have up to 64 bits, and a ticket that was rounded to a double
 * has another session id. Every integer becomes a bigint, in both directions; other numbers do not occur in this API.
 */
export type Json =
  null | boolean | bigint | string | readonly Json[] | { readonly [name: string]: Json };

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/g;
const INTEGER = /^-?(?:0|[1-9][0-9]*)$/;
/** Begins the strings that stand for integers on the way through JSON.parse; plain JSON cannot hold it unescaped. */
const MARK = '\u0000';
const MARKED = /"\\u0000(-?[0-9]+)"/g;

/** Reads JSON text; throws MalformedError. Fractions are refused. */
export function parseExact(text: string): Json {
  const marked = text.replace(STRING_OR_NUMBER, (token) => {
    if (token.startsWith('"')) return token;
    if (!INTEGER.test(token)) throw new MalformedError('a number in the answer is no integer');
    return `"\\u0000${token}"`;
  });
  try {
    return JSON.parse(marked, (_, value: unknown) =>
      typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(1)) : value,
    ) as Json;
  } catch {
    throw new MalformedError('the answer is no JSON');
  }
}

export function stringifyExact(value: Json): string {
  const marked = JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'bigint' ? `${MARK}${each.toString()}` : each,
  );
  return marked.replace(MARKED, '$1');
}
