import { createPlayerCore } from '../core/player';
import type { PlayerCore, PlayerOptions } from '../core/types';
import { PlayerElement } from './element';

const NAME = 'streamrp2p-player';

/** The element with the core that plays. */
export class StreamrP2PPlayer extends PlayerElement {
  protected override makeCore(options: PlayerOptions): PlayerCore {
    return createPlayerCore(options);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    [NAME]: StreamrP2PPlayer;
  }
}

// A page may load the package twice, from two bundles.
if (customElements.get(NAME) === undefined) customElements.define(NAME, StreamrP2PPlayer);
