import { clampTo, fractionOf, momentAt, type DvrWindow } from './dvr';
import { make, setAttribute, setText } from './dom';
import { behindLive, clock } from './words';

const STEP_SECONDS = 5;
const PAGE_SECONDS = 30;
const THUMBNAIL_PAUSE_MILLIS = 60;

export interface TimelineHost {
  seek(seconds: number): void;
  thumbnailAt(seconds: number): Promise<Blob | null>;
}

/** The seek bar over the window that can be watched, with a picture of where a pointer or finger is. */
export class Timeline {
  readonly element: HTMLElement;
  readonly #host: TimelineHost;
  readonly #played = make('div', { class: 'played' });
  readonly #knob = make('div', { class: 'knob' });
  readonly #picture = make('img', { alt: '', hidden: true });
  readonly #label = make('span');
  readonly #preview = make(
    'div',
    { class: 'preview', hidden: true, 'aria-hidden': 'true' },
    this.#picture,
    this.#label,
  );
  #window: DvrWindow | null = null;
  #position = 0;
  #isDragged = false;
  #wanted = 0;
  #thumbnailTimer: ReturnType<typeof setTimeout> | undefined;
  #pictureUrl: string | null = null;

  constructor(host: TimelineHost) {
    this.#host = host;
    const rail = make('div', { class: 'rail' }, this.#played);
    this.element = make(
      'div',
      { class: 'timeline', role: 'slider', tabindex: 0, 'aria-label': 'Position in the stream' },
      rail,
      this.#knob,
      this.#preview,
    );
    this.#listen();
    this.show(null, 0);
  }

  /** Show where playback is; while a finger drags the knob, it stays where the finger is. */
  show(window: DvrWindow | null, position: number): void {
    this.#window = window;
    setAttribute(this.element, 'aria-disabled', window === null ? 'true' : null);
    if (window === null) {
      setAttribute(this.element, 'aria-valuemin', 0);
      setAttribute(this.element, 'aria-valuemax', 0);
      setAttribute(this.element, 'aria-valuenow', 0);
      this.#place(1);
      return;
    }
    if (!this.#isDragged) this.#position = clampTo(window, position);
    const behind = window.end - this.#position;
    setAttribute(this.element, 'aria-valuemin', -Math.round(window.end - window.start));
    setAttribute(this.element, 'aria-valuemax', 0);
    setAttribute(this.element, 'aria-valuenow', -Math.round(behind));
    setAttribute(this.element, 'aria-valuetext', behindLive(behind));
    this.#place(fractionOf(window, this.#position));
  }

  destroy(): void {
    this.#hidePreview();
  }

  #place(fraction: number): void {
    this.element.style.setProperty('--at', String(fraction));
  }

  #listen(): void {
    const { element } = this;
    element.addEventListener('keydown', (event) => {
      const target = this.#keyTarget(event.key);
      if (target === null) return;
      event.preventDefault();
      event.stopPropagation();
      this.#host.seek(target);
    });
    element.addEventListener('pointerdown', (event) => {
      if (this.#window === null || event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      this.#isDragged = true;
      this.#dragTo(event);
    });
    element.addEventListener('pointermove', (event) => {
      if (this.#isDragged) this.#dragTo(event);
      else this.#previewAt(event);
    });
    element.addEventListener('pointerup', () => {
      if (!this.#isDragged) return;
      this.#isDragged = false;
      this.#hidePreview();
      this.#host.seek(this.#position);
    });
    element.addEventListener('pointercancel', () => {
      this.#isDragged = false;
      this.#hidePreview();
    });
    element.addEventListener('pointerleave', () => {
      if (!this.#isDragged) this.#hidePreview();
    });
  }

  #keyTarget(key: string): number | null {
    const window = this.#window;
    if (window === null) return null;
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: -STEP_SECONDS,
      ArrowDown: -STEP_SECONDS,
      ArrowRight: STEP_SECONDS,
      ArrowUp: STEP_SECONDS,
      PageDown: -PAGE_SECONDS,
      PageUp: PAGE_SECONDS,
    };
    if (key === 'Home') return window.start;
    if (key === 'End') return window.end;
    const step = steps[key];
    return step === undefined ? null : clampTo(window, this.#position + step);
  }

  #fractionAt(event: PointerEvent): number {
    const box = this.element.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  }

  #dragTo(event: PointerEvent): void {
    if (this.#window === null) return;
    this.#position = momentAt(this.#window, this.#fractionAt(event));
    this.show(this.#window, this.#position);
    this.#previewAt(event);
  }

  #previewAt(event: PointerEvent): void {
    const window = this.#window;
    if (window === null) return;
    const fraction = this.#fractionAt(event);
    const moment = momentAt(window, fraction);
    this.#preview.style.setProperty('--over', String(fraction));
    setText(this.#label, window.end - moment < 1 ? 'live' : `−${clock(window.end - moment)}`);
    this.#preview.hidden = false;
    this.#wanted = moment;
    // A pointer that sweeps over the bar asks for pictures a few times a second, not for each pixel.
    this.#thumbnailTimer ??= setTimeout(() => {
      this.#thumbnailTimer = undefined;
      void this.#showPicture(this.#wanted);
    }, THUMBNAIL_PAUSE_MILLIS);
  }

  async #showPicture(moment: number): Promise<void> {
    const picture = await this.#host.thumbnailAt(moment);
    if (this.#preview.hidden) return;
    this.#dropPicture();
    if (picture !== null) {
      this.#pictureUrl = URL.createObjectURL(picture);
      this.#picture.src = this.#pictureUrl;
    }
    this.#picture.hidden = picture === null;
  }

  #hidePreview(): void {
    clearTimeout(this.#thumbnailTimer);
    this.#thumbnailTimer = undefined;
    this.#preview.hidden = true;
    this.#dropPicture();
  }

  #dropPicture(): void {
    if (this.#pictureUrl !== null) URL.revokeObjectURL(this.#pictureUrl);
    this.#pictureUrl = null;
    this.#picture.hidden = true;
  }
}
