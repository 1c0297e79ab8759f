import { expect, test } from 'vitest';
import { RememberedChoice } from '../../src/ui/choice';
import { clampTo, fractionOf, momentAt, windowOf } from '../../src/ui/dvr';
import { SHORTCUTS, actionOf } from '../../src/ui/keyboard';

const KEY = { ctrlKey: false, metaKey: false, altKey: false };

function ranges(...pairs: readonly (readonly [number, number])[]): TimeRanges {
  const at = (index: number): readonly [number, number] => pairs[index] ?? [0, 0];
  return { length: pairs.length, start: (index) => at(index)[0], end: (index) => at(index)[1] };
}

/** A storage of one page, as browsers give it; `isFull` refuses what is written. */
function storage(isFull = false): Storage {
  const kept = new Map<string, string>();
  return {
    length: 0,
    clear: () => undefined,
    key: () => null,
    getItem: (key) => kept.get(key) ?? null,
    removeItem: (key) => void kept.delete(key),
    setItem: (key, value) => {
      if (isFull) throw new Error('quota');
      kept.set(key, value);
    },
  };
}

test('a choice is remembered for one coordinator and can be forgotten', () => {
  const kept = storage();
  const choice = new RememberedChoice(kept, 'https://a.example/');
  choice.remember('relays');

  expect(new RememberedChoice(kept, 'https://a.example').read()).toBe('relays');
  expect(new RememberedChoice(kept, 'https://b.example').read()).toBeNull();
  choice.forget();
  expect(choice.read()).toBeNull();
});

test('what is no choice, a full storage and none at all mean: ask', () => {
  const kept = storage();
  kept.setItem('streamrp2p.consent:https://a.example', 'everything');
  expect(new RememberedChoice(kept, 'https://a.example').read()).toBeNull();

  const full = new RememberedChoice(storage(true), 'https://a.example');
  full.remember('origin');
  expect(full.read()).toBeNull();

  const none = new RememberedChoice(null, 'https://a.example');
  none.remember('origin');
  expect(none.read()).toBeNull();
});

test('the window spans what is seekable; there is none before the first segment', () => {
  expect(windowOf(ranges())).toBeNull();
  expect(windowOf(ranges([0, Infinity]))).toBeNull();
  expect(windowOf(ranges([3, 3]))).toBeNull();
  expect(windowOf(ranges([10, 20], [30, 70]))).toEqual({ start: 10, end: 70 });
});

test('places in the window and fractions of it are each other’s inverse, and stay inside', () => {
  const window = { start: 10, end: 70 };
  expect(fractionOf(window, 40)).toBe(0.5);
  expect(momentAt(window, 0.5)).toBe(40);
  expect(momentAt(window, 2)).toBe(70);
  expect(fractionOf(window, -5)).toBe(0);
  expect(clampTo(window, 100)).toBe(70);
});

test('keys act, capitals too, but not with a modifier', () => {
  expect(actionOf({ ...KEY, key: 'K' })).toEqual({ kind: 'play' });
  expect(actionOf({ ...KEY, key: 'ArrowLeft' })).toEqual({ kind: 'seek', seconds: -5 });
  expect(actionOf({ ...KEY, key: 'l' })).toEqual({ kind: 'seek', seconds: 10 });
  expect(actionOf({ ...KEY, key: 'f', ctrlKey: true })).toBeNull();
  expect(actionOf({ ...KEY, key: 'q' })).toBeNull();
});

test('every shortcut that is listed exists', () => {
  const names = {
    Space: ' ',
    '←': 'ArrowLeft',
    '→': 'ArrowRight',
    '↑': 'ArrowUp',
    '↓': 'ArrowDown',
  };
  for (const [keys] of SHORTCUTS)
    for (const key of keys.split(' ').filter((word) => word !== 'or'))
      expect(actionOf({ ...KEY, key: { ...names }[key] ?? key }), key).not.toBeNull();
});
