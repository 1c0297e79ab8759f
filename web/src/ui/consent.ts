import type { Consent } from '../core/types';
import { make } from './dom';

/** Asks before anything is shared: nothing was fetched from a relay, and no ticket asked for, when this is seen. */
export function consentCard(choose: (consent: Consent, remember: boolean) => void): HTMLElement {
  const remember = make('input', { type: 'checkbox', checked: true });
  const button = (consent: Consent, label: string, look: string): HTMLButtonElement => {
    const element = make('button', { type: 'button', class: `text ${look}` }, label);
    element.addEventListener('click', () => {
      choose(consent, remember.checked);
    });
    return element;
  };
  return make(
    'section',
    { class: 'card consent', 'aria-labelledby': 'consent-title' },
    make('h2', { id: 'consent-title' }, 'Before you watch'),
    make(
      'p',
      {},
      'Relays run by other people can bring you this stream. They are paid for what arrives.',
    ),
    make(
      'ul',
      {},
      point('They see your IP address', ', and that you watch this stream.'),
      point(
        'Your player signs receipts',
        ' for the bytes it got, with a key made for this visit and thrown away. No name, no wallet. Receipts are published.',
      ),
      point(
        'They cannot change the picture',
        ': every byte is checked against the streamer’s signature.',
      ),
    ),
    make(
      'div',
      { class: 'choices' },
      button('relays', 'Watch through relays', 'main'),
      button('origin', 'Watch from the origin', 'other'),
    ),
    make(
      'p',
      { class: 'small' },
      'The origin is the streamer’s own server: then it alone sees you, and nobody is paid.',
    ),
    make('label', { class: 'small check' }, remember, 'Remember my choice; I can change it later'),
  );
}

function point(strong: string, rest: string): HTMLLIElement {
  return make('li', {}, make('strong', {}, strong), rest);
}
