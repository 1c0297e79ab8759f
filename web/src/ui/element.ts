import type {
  Consent,
  PlayerCore,
  PlayerError,
  PlayerOptions,
  PlayerState,
  PlayerStats,
} from '../core/types';
import { RememberedChoice, localStorageOrNull } from './choice';
import { consentCard } from './consent';
import { Controls, type ControlsHost } from './controls';
import { make, setAttribute, setText } from './dom';
import { clampTo, windowOf, type DvrWindow } from './dvr';
import { canFloat, toggleFloating } from './floating';
import { actionOf, type Action } from './keyboard';
import { errorCard, startCard } from './messages';
import { Panel, activeRelays, carrierAnnouncement } from './panel';
import { sheet } from './styles';
import { ERROR_TITLES, STATES } from './words';

const QUIET_AFTER_MILLIS = 3000;
/** A short wait is not worth a word. */
const STALL_ANNOUNCED_AFTER_MILLIS = 1000;
const FORWARDED = ['stats', 'source', 'error', 'state', 'renditions'] as const;

/** Asking, waiting for a press, or showing what a core plays. */
type Phase = 'consent' | 'ready' | 'watching';

/**
 * `<streamrp2p-player coordinator="https://…" pool="1" [origin-key="0x…"] [autoplay] [muted]>`.
 *
 * Asks before it shares anything: no relay is spoken to and no ticket asked for until the viewer has chosen. Sends the
 * core's events on, under their names.
 */
export abstract class PlayerElement extends HTMLElement {
  static readonly observedAttributes = ['coordinator', 'pool', 'origin-key'];

  readonly #video = make('video', { playsinline: true, preload: 'none' });
  readonly #message = make('div', { class: 'message' });
  readonly #waiting = make('div', { class: 'waiting', hidden: true, 'aria-hidden': 'true' });
  readonly #unmute = make('button', { type: 'button', class: 'text main unmute', hidden: true });
  readonly #announcer = make('div', { class: 'for-ears', role: 'status' });
  readonly #stage: HTMLElement;
  readonly #root: HTMLElement;
  readonly #controls: Controls;
  readonly #panel: Panel;
  #core: PlayerCore | null = null;
  #consent: Consent | null = null;
  #phase: Phase = 'ready';
  #quality = 'auto';
  #listening: AbortController | null = null;
  #quietTimer: ReturnType<typeof setTimeout> | undefined;
  #stallTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.#controls = new Controls(this.#host(), { canFloat: canFloat() });
    this.#panel = new Panel({
      close: () => {
        this.#showPanel(false);
      },
      changeChoice: () => {
        this.revokeConsent();
      },
    });
    this.#unmute.append('Sound on');
    this.#unmute.addEventListener('click', () => {
      this.#setMuted(false);
    });
    this.#stage = make(
      'div',
      { class: 'stage' },
      this.#video,
      this.#waiting,
      this.#unmute,
      this.#controls.element,
      this.#message,
    );
    this.#root = make(
      'div',
      { class: 'root', role: 'region', 'aria-label': 'Live stream player' },
      this.#stage,
      this.#panel.element,
      this.#announcer,
    );
    const shadow = this.attachShadow({ mode: 'open' });
    shadow.adoptedStyleSheets = [sheet()];
    shadow.append(this.#root);
    this.#listenToViewer();
  }

  /** Make what plays: the package's own core, unless a test gives another. */
  protected abstract makeCore(options: PlayerOptions): PlayerCore;

  /** What happens now, or null before the viewer has chosen. */
  get stats(): PlayerStats | null {
    return this.#core?.stats ?? null;
  }

  /** The picture's element, for what a page wants to do with it; the bytes that it plays are verified. */
  get video(): HTMLVideoElement {
    return this.#video;
  }

  connectedCallback(): void {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    document.addEventListener(
      'fullscreenchange',
      () => {
        this.#refresh();
      },
      { signal },
    );
    // The page goes: the last receipts are sent. It may come back from the browser's cache.
    window.addEventListener(
      'pagehide',
      () => {
        this.#stop();
      },
      { signal },
    );
    window.addEventListener(
      'pageshow',
      (event) => {
        if (event.persisted) this.#begin();
      },
      { signal },
    );
    this.#begin();
  }

  disconnectedCallback(): void {
    this.#listening?.abort();
    this.#listening = null;
    this.#stop();
  }

  attributeChangedCallback(_: string, before: string | null, after: string | null): void {
    if (this.#listening === null || before === after) return;
    this.#stop();
    this.#begin();
  }

  /** Forget the viewer's choice, leave the relays and ask anew. */
  revokeConsent(): void {
    this.#choice().forget();
    this.#stop();
    this.#showPanel(false);
    this.#ask();
    this.#message.querySelector('button')?.focus();
  }

  #choice(): RememberedChoice {
    return new RememberedChoice(localStorageOrNull(), this.#coordinator);
  }

  get #coordinator(): string {
    return (this.getAttribute('coordinator') ?? '').trim();
  }

  #options(): PlayerOptions | string {
    const coordinator = this.#coordinator;
    const pool = this.getAttribute('pool') ?? '';
    const originKey = this.getAttribute('origin-key')?.toLowerCase() ?? null;
    if (!URL.canParse(coordinator) || !/^https?:/.test(coordinator))
      return 'The page must give this player a coordinator: coordinator="https://…".';
    if (!/^\d{1,10}$/.test(pool) || Number(pool) >= 2 ** 32)
      return 'The page must give this player a pool’s number: pool="1".';
    if (originKey !== null && !isAddress(originKey))
      return 'The page’s origin-key must be an address: 0x and 40 hex digits.';
    const options = { coordinator: coordinator.replace(/\/+$/, ''), poolId: Number(pool) };
    return originKey === null ? options : { ...options, originKey };
  }

  #begin(): void {
    const options = this.#options();
    if (typeof options === 'string') {
      this.#phase = 'ready';
      this.#say(errorCard('The page is not set up', options));
      return;
    }
    this.#consent = this.#choice().read();
    if (this.#consent === null) this.#ask();
    else if (this.hasAttribute('autoplay')) this.#start(this.#consent);
    else this.#offer(this.#consent);
  }

  #ask(): void {
    this.#phase = 'consent';
    this.#consent = null;
    this.#say(
      consentCard((consent, remember) => {
        if (remember) this.#choice().remember(consent);
        this.#start(consent);
        this.#controls.focus();
      }),
    );
  }

  #offer(consent: Consent): void {
    this.#phase = 'ready';
    this.#say(
      startCard(
        consent,
        () => {
          this.#start(consent);
          this.#controls.focus();
        },
        () => {
          this.revokeConsent();
        },
      ),
    );
  }

  #start(consent: Consent): void {
    const options = this.#options();
    if (typeof options === 'string') return;
    this.#stop();
    this.#phase = 'watching';
    this.#consent = consent;
    this.#say(null);
    const core = this.makeCore(options);
    this.#core = core;
    this.#listenToCore(core);
    this.#video.muted = this.hasAttribute('muted');
    core.attach(this.#video);
    core.start(consent).then(
      () => (this.#core === core ? this.#play() : undefined),
      // The core has sent an event that says more.
      () => undefined,
    );
    this.#refresh();
  }

  #stop(): void {
    const core = this.#core;
    this.#core = null;
    clearTimeout(this.#stallTimer);
    core?.destroy();
    this.#unmute.hidden = true;
    this.#waiting.hidden = true;
    this.#refresh();
  }

  #listenToCore(core: PlayerCore): void {
    const isCurrent = (): boolean => this.#core === core;
    for (const name of FORWARDED) {
      core.addEventListener(name, (event) => {
        if (isCurrent())
          this.dispatchEvent(new CustomEvent<unknown>(name, { detail: event.detail }));
      });
    }
    core.addEventListener('stats', () => {
      if (isCurrent()) this.#refresh();
    });
    core.addEventListener('renditions', ({ detail }) => {
      if (!isCurrent()) return;
      // What was chosen before a new start still holds, if there still is such a rendition.
      if (detail.some((each) => each.name === this.#quality)) core.setQuality(this.#quality);
      else this.#quality = 'auto';
      this.#refresh();
    });
    core.addEventListener('state', ({ detail }) => {
      if (isCurrent()) this.#onState(detail);
    });
    core.addEventListener('source', ({ detail }) => {
      if (isCurrent()) this.#announce(carrierAnnouncement(detail));
    });
    core.addEventListener('error', ({ detail }) => {
      if (isCurrent()) this.#onError(detail);
    });
  }

  #onState(state: PlayerState): void {
    clearTimeout(this.#stallTimer);
    this.#waiting.hidden = state !== 'loading' && state !== 'stalled';
    if (state === 'stalled')
      this.#stallTimer = setTimeout(() => {
        this.#announce(STATES.stalled);
      }, STALL_ANNOUNCED_AFTER_MILLIS);
    else this.#announce(STATES[state]);
    if (state === 'playing') this.#say(null);
    if (state === 'ended') this.#say(errorCard(STATES.ended, 'Reload when the streamer is back.'));
    this.#refresh();
  }

  #onError(error: PlayerError): void {
    const again = error.isFatal && error.code !== 'unsupported';
    this.#say(
      errorCard(
        ERROR_TITLES[error.code],
        error.message,
        again
          ? () => {
              if (this.#consent !== null) this.#start(this.#consent);
            }
          : null,
      ),
    );
    if (error.isFatal) this.#waiting.hidden = true;
  }

  #say(card: HTMLElement | null): void {
    this.#message.replaceChildren(...(card === null ? [] : [card]));
    this.#root.dataset['phase'] = this.#phase;
    this.#controls.element.hidden = this.#phase !== 'watching';
  }

  #announce(text: string): void {
    if (text !== '') setText(this.#announcer, text);
  }

  async #play(): Promise<void> {
    try {
      await this.#video.play();
    } catch (error) {
      // Browsers let a page that nobody has touched yet play without sound only.
      if (!(error instanceof DOMException && error.name === 'NotAllowedError')) return;
      if (this.#video.muted) return;
      this.#video.muted = true;
      this.#unmute.hidden = false;
      await this.#video.play().catch(() => undefined);
    }
  }

  #window(): DvrWindow | null {
    return windowOf(this.#video.seekable);
  }

  #host(): ControlsHost {
    const video = this.#video;
    return {
      togglePlay: () => {
        if (video.paused) void this.#play();
        else video.pause();
      },
      toggleMute: () => {
        this.#setMuted(!video.muted && video.volume > 0);
      },
      setVolume: (volume) => {
        video.volume = Math.min(Math.max(volume, 0), 1);
        this.#setMuted(video.volume === 0);
      },
      goLive: () => {
        this.#core?.seekToLive();
        void this.#play();
      },
      seek: (seconds) => {
        const window = this.#window();
        if (window === null) return;
        if (seconds >= window.end) this.#core?.seekToLive();
        else video.currentTime = clampTo(window, seconds);
        this.#refresh();
      },
      thumbnailAt: (seconds) => this.#core?.thumbnailAt(seconds) ?? Promise.resolve(null),
      setQuality: (rendition) => {
        this.#quality = rendition;
        this.#core?.setQuality(rendition);
        this.#refresh();
      },
      togglePanel: () => {
        this.#showPanel(this.#panel.element.hidden);
      },
      toggleFullscreen: () => {
        void this.#toggleFullscreen();
      },
      togglePictureInPicture: () => {
        void toggleFloating(video, this.shadowRoot ?? document);
      },
    };
  }

  #setMuted(isMuted: boolean): void {
    this.#video.muted = isMuted;
    if (!isMuted && this.#video.volume === 0) this.#video.volume = 1;
    if (!isMuted) this.#unmute.hidden = true;
    this.#refresh();
  }

  get #isFullscreen(): boolean {
    return this.shadowRoot?.fullscreenElement === this.#root;
  }

  async #toggleFullscreen(): Promise<void> {
    if (this.#isFullscreen) await document.exitFullscreen().catch(() => undefined);
    else if (document.fullscreenEnabled)
      await this.#root.requestFullscreen().catch(() => undefined);
    // Phones that let only the picture itself fill the screen.
    else (this.#video as { webkitEnterFullscreen?: () => void }).webkitEnterFullscreen?.();
  }

  #showPanel(isOpen: boolean): void {
    if (this.#panel.element.hidden !== isOpen) return;
    this.#panel.element.hidden = !isOpen;
    this.#refresh();
    if (isOpen) this.#panel.focus();
    else if (this.#phase === 'watching') this.#controls.carriersButton.focus();
  }

  #listenToViewer(): void {
    const video = this.#video;
    for (const name of ['timeupdate', 'play', 'pause', 'volumechange', 'seeking'])
      video.addEventListener(name, () => {
        this.#refresh();
      });
    video.addEventListener('click', (event) => {
      // A finger's first touch shows the controls; a mouse has shown them by coming.
      if (event instanceof PointerEvent && event.pointerType === 'touch')
        this.#setQuiet(!this.#isQuiet);
      else if (this.#phase === 'watching') this.#host().togglePlay();
    });
    video.addEventListener('dblclick', () => {
      void this.#toggleFullscreen();
    });
    for (const name of ['pointermove', 'keydown', 'focusin'])
      this.#root.addEventListener(name, (event) => {
        if (!(event instanceof PointerEvent && event.pointerType === 'touch'))
          this.#setQuiet(false);
      });
    this.#root.addEventListener('keydown', (event) => {
      this.#onKey(event);
    });
  }

  #onKey(event: KeyboardEvent): void {
    if (this.#phase !== 'watching') return;
    const target = event.target as Element;
    // A button is pressed by Space itself, and a slider or a list is moved by arrows.
    const isPressed = target.matches('button, summary, input') && event.key === ' ';
    const isMoved = target.matches('input, .panel *') && event.key.startsWith('Arrow');
    const action = isPressed || isMoved ? null : actionOf(event);
    if (action === null) return;
    event.preventDefault();
    this.#act(action);
  }

  #act(action: Action): void {
    const host = this.#host();
    switch (action.kind) {
      case 'play':
        host.togglePlay();
        break;
      case 'mute':
        host.toggleMute();
        break;
      case 'fullscreen':
        host.toggleFullscreen();
        break;
      case 'picture-in-picture':
        host.togglePictureInPicture();
        break;
      case 'live':
        host.goLive();
        break;
      case 'carriers':
        host.togglePanel();
        break;
      case 'seek':
        host.seek(this.#video.currentTime + action.seconds);
        break;
      case 'volume':
        host.setVolume((this.#video.muted ? 0 : this.#video.volume) + action.change);
        break;
    }
  }

  get #isQuiet(): boolean {
    return this.#root.classList.contains('quiet');
  }

  /** Quiet is the picture alone: while it plays and nobody moves. */
  #setQuiet(isQuiet: boolean): void {
    clearTimeout(this.#quietTimer);
    this.#root.classList.toggle('quiet', isQuiet);
    if (isQuiet) return;
    this.#quietTimer = setTimeout(() => {
      if (!this.#video.paused && !this.#controls.hasOpenMenu) this.#setQuiet(true);
    }, QUIET_AFTER_MILLIS);
  }

  #refresh(): void {
    const [video, core] = [this.#video, this.#core];
    const window = core === null ? null : this.#window();
    this.#controls.show({
      isPaused: video.paused,
      isMuted: video.muted,
      volume: video.volume,
      isFullscreen: this.#isFullscreen,
      isPanelOpen: !this.#panel.element.hidden,
      window,
      position: video.currentTime,
      quality: this.#quality,
      rendition: core?.stats.rendition ?? null,
      renditions: core?.renditions ?? [],
      carriers: activeRelays(core?.stats.sources ?? []),
    });
    if (video.paused && this.#isQuiet) this.#setQuiet(false);
    if (core !== null && this.#consent !== null && !this.#panel.element.hidden)
      this.#panel.show(core.stats, this.#consent);
    setAttribute(this.#root, 'aria-busy', this.#waiting.hidden ? null : 'true');
  }
}

function isAddress(text: string): text is `0x${string}` {
  return /^0x[0-9a-f]{40}$/.test(text);
}
