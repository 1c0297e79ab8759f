import type { Consent } from '../core/types';
import { drawing, make } from './dom';

/** What went wrong, what to do, and a way to try again where that makes sense. */
export function errorCard(
  title: string,
  advice: string,
  again: (() => void) | null = null,
): HTMLElement {
  const card = make(
    'section',
    { class: 'card', role: 'alert' },
    make('h2', {}, title),
    make('p', {}, advice),
  );
  if (again !== null) {
    const button = make('button', { type: 'button', class: 'text main' }, 'Try again');
    button.addEventListener('click', again);
    card.append(button);
  }
  return card;
}

/** Waits for a press: the viewer has chosen before, on another visit. */
export function startCard(consent: Consent, start: () => void, change: () => void): HTMLElement {
  const big = make(
    'button',
    { type: 'button', class: 'start', 'aria-label': 'Watch live' },
    drawing('play'),
  );
  big.addEventListener('click', start);
  const other = make('button', { type: 'button', class: 'text bare' }, 'Change');
  other.addEventListener('click', change);
  const how =
    consent === 'relays' ? 'Through relays, as you chose.' : 'From the origin, as you chose.';
  return make('section', { class: 'starting' }, big, make('p', {}, how, ' ', other));
}
