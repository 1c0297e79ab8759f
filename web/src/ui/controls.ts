import type { Rendition } from '../core/types';
import { LIVE_SECONDS, type DvrWindow } from './dvr';
import { iconButton, make, setAttribute, setText } from './dom';
import { ChoiceMenu } from './menu';
import { Timeline, type TimelineHost } from './timeline';
import { clock, count } from './words';

export interface ControlsHost extends TimelineHost {
  togglePlay(): void;
  toggleMute(): void;
  setVolume(volume: number): void;
  goLive(): void;
  setQuality(rendition: string): void;
  togglePanel(): void;
  toggleFullscreen(): void;
  togglePictureInPicture(): void;
}

/** What the bar shows; the video element and the core are asked for it on each change. */
export interface ControlsView {
  readonly isPaused: boolean;
  readonly isMuted: boolean;
  readonly volume: number;
  readonly isFullscreen: boolean;
  readonly isPanelOpen: boolean;
  readonly window: DvrWindow | null;
  readonly position: number;
  readonly quality: string;
  readonly rendition: string | null;
  readonly renditions: readonly Rendition[];
  readonly carriers: number;
}

const AUTO = 'auto';
const CARRIERS = 'Who carries this stream';

/** The bar over the picture. */
export class Controls {
  readonly element: HTMLElement;
  readonly carriersButton: HTMLButtonElement;
  readonly #play;
  readonly #mute;
  readonly #volume = make('input', {
    type: 'range',
    class: 'volume',
    min: 0,
    max: 1,
    step: 0.05,
    'aria-label': 'Volume',
  });
  readonly #live = make('button', { type: 'button', class: 'live' });
  readonly #behind = make('span', { class: 'behind' });
  readonly #quality: ChoiceMenu;
  readonly #carriers;
  readonly #carriersText = make('span', { class: 'count' });
  readonly #full;
  readonly #timeline: Timeline;

  constructor(host: ControlsHost, { canFloat }: { readonly canFloat: boolean }) {
    this.#timeline = new Timeline(host);
    this.#play = iconButton('play', 'Play', () => {
      host.togglePlay();
    });
    this.#mute = iconButton('loud', 'Sound off', () => {
      host.toggleMute();
    });
    this.#volume.addEventListener('input', () => {
      host.setVolume(this.#volume.valueAsNumber);
    });
    this.#live.append(make('span', { class: 'dot', 'aria-hidden': 'true' }), 'Live');
    this.#live.addEventListener('click', () => {
      host.goLive();
    });
    this.#quality = new ChoiceMenu('quality', 'Quality', (value) => {
      host.setQuality(value);
    });
    this.#carriers = iconButton('carriers', CARRIERS, () => {
      host.togglePanel();
    });
    this.#carriers.element.append(this.#carriersText);
    this.carriersButton = this.#carriers.element;
    const float = iconButton('float', 'Picture in picture', () => {
      host.togglePictureInPicture();
    });
    float.element.classList.add('float');
    float.element.hidden = !canFloat;
    this.#full = iconButton('grow', 'Full screen', () => {
      host.toggleFullscreen();
    });
    this.element = make(
      'div',
      { class: 'controls', role: 'group', 'aria-label': 'Player controls' },
      this.#timeline.element,
      make(
        'div',
        { class: 'buttons' },
        this.#play.element,
        this.#mute.element,
        this.#volume,
        this.#live,
        this.#behind,
        make('span', { class: 'gap' }),
        this.carriersButton,
        this.#quality.element,
        float.element,
        this.#full.element,
      ),
    );
  }

  get hasOpenMenu(): boolean {
    return this.#quality.isOpen;
  }

  focus(): void {
    this.#play.element.focus();
  }

  show(view: ControlsView): void {
    this.#play.show(view.isPaused ? 'play' : 'pause', view.isPaused ? 'Play' : 'Pause');
    const isSilent = view.isMuted || view.volume === 0;
    this.#mute.show(isSilent ? 'quiet' : 'loud', isSilent ? 'Sound on' : 'Sound off');
    this.#volume.value = String(isSilent ? 0 : view.volume);
    this.#volume.style.setProperty('--at', this.#volume.value);
    this.#full.show(
      view.isFullscreen ? 'shrink' : 'grow',
      view.isFullscreen ? 'Leave full screen' : 'Full screen',
    );
    setAttribute(this.carriersButton, 'aria-expanded', String(view.isPanelOpen));
    setText(this.#carriersText, view.carriers > 0 ? String(view.carriers) : '');
    this.#carriers.show('carriers', `${CARRIERS}: ${count(view.carriers, 'relay')}`);
    this.#timeline.show(view.window, view.position);
    this.#showLive(view);
    this.#showQuality(view);
  }

  destroy(): void {
    this.#timeline.destroy();
  }

  #showLive({ window, position, isPaused }: ControlsView): void {
    const behind = window === null ? 0 : window.end - position;
    const isLive = window !== null && behind <= LIVE_SECONDS && !isPaused;
    this.#live.classList.toggle('now', isLive);
    setAttribute(this.#live, 'aria-label', isLive ? 'Live' : 'Go to the live edge');
    setAttribute(this.#live, 'title', isLive ? 'You are live' : 'Go to the live edge');
    setText(this.#behind, behind > LIVE_SECONDS ? `−${clock(behind)}` : '');
  }

  #showQuality({ renditions, quality, rendition }: ControlsView): void {
    const now = quality === AUTO && rendition !== null ? ` (${rendition})` : '';
    const items = renditions.map((each) => ({
      value: each.name,
      label: each.height === null ? each.name : `${each.name} · ${each.height} lines`,
    }));
    this.#quality.show(
      items.length > 1 ? [{ value: AUTO, label: `Automatic${now}` }, ...items] : items,
      quality,
    );
  }
}
