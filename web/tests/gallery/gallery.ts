import type { PlayerCore, PlayerOptions } from '../../src/core/types';
import { PlayerElement } from '../../src/ui/element';
import { FakeCore } from './fake_core';

class GalleryPlayer extends PlayerElement {
  protected override makeCore(options: PlayerOptions): PlayerCore {
    return new FakeCore(options);
  }
}

customElements.define('gallery-player', GalleryPlayer);
Object.assign(window, { cores: FakeCore.made });
