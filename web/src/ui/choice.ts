/** The viewer's choice, remembered in this browser for one coordinator: whose relays may see them. */
import type { Consent } from '../core/types';

const PREFIX = 'streamrp2p.consent:';

function isConsent(text: string | null): text is Consent {
  return text === 'relays' || text === 'origin';
}

/** `storage` is null where the browser grants none, such as to some third-party frames: then each visit is asked. */
export class RememberedChoice {
  readonly #storage: Storage | null;
  readonly #key: string;

  constructor(storage: Storage | null, coordinator: string) {
    this.#storage = storage;
    this.#key = PREFIX + coordinator.replace(/\/+$/, '');
  }

  read(): Consent | null {
    const text = this.#storage?.getItem(this.#key) ?? null;
    return isConsent(text) ? text : null;
  }

  remember(consent: Consent): void {
    try {
      this.#storage?.setItem(this.#key, consent);
    } catch {
      // A full or forbidden storage: the choice then holds for this visit alone.
    }
  }

  forget(): void {
    this.#storage?.removeItem(this.#key);
  }
}

/** This page's storage; merely looking at it throws where it is forbidden. */
export function localStorageOrNull(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
