import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Json, parseExact, stringifyExact } from '../../src/core/protocol/exact-json';

const MAX = 18446744073709551615n;

describe('exact JSON', () => {
  it('keeps the digits of the largest 64-bit integer, which a double does not', () => {
    expect(parseExact('{"maxBytes":18446744073709551615}')).toEqual({ maxBytes: MAX });
    expect(stringifyExact({ maxBytes: MAX })).toBe('{"maxBytes":18446744073709551615}');
  });

  it('leaves digits in strings alone, also behind escaped quotes', () => {
    const text = String.raw`{"nonce":"123","a\"1\\":"\"4\\"}`;
    expect(parseExact(text)).toEqual({ nonce: '123', 'a"1\\': '"4\\' });
  });

  it.each(['1.5', '{"a":1e3}', '[1', '', '01'])('refuses %s', (text) => {
    expect(() => parseExact(text)).toThrow();
  });

  it('reads what it wrote', () => {
    const { value } = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        fc.bigInt(),
        // A leading NUL is what stands for an integer inside; no text of this API has one.
        fc.string().filter((text) => !text.startsWith('\u0000')),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.string().filter((name) => name !== '__proto__'),
          tie('value'),
          { maxKeys: 3, noNullPrototype: true },
        ),
      ),
    }));
    fc.assert(
      fc.property(value, (each) => {
        expect(parseExact(stringifyExact(each))).toEqual(each);
      }),
    );
  });
});
