import type { Consent, PlayerStats, SourceStats } from '../core/types';
import { iconButton, make, setAttribute, setText } from './dom';
import { SHORTCUTS } from './keyboard';
import { CHOICES, LEFT_BECAUSE, ROLES, bytes, hostOf, share, shortAddress, summary } from './words';

export interface PanelHost {
  close(): void;
  changeChoice(): void;
}

/** "Who carries this stream": each relay with what it brought, the receipts, and the viewer's choice. */
export class Panel {
  readonly element: HTMLElement;
  readonly #close;
  readonly #summary = make('p', { class: 'summary' });
  readonly #bar = make('div', { class: 'bar', 'aria-hidden': 'true' });
  readonly #list = make('ul', { class: 'sources' });
  readonly #facts: Facts;
  readonly #costs: Facts;
  readonly #choice = make('p');
  readonly #rows = new Map<string, SourceRow>();

  constructor(host: PanelHost) {
    this.#close = iconButton('close', 'Close', () => {
      host.close();
    });
    this.#facts = new Facts('Behind live', 'Buffered', 'Quality', 'Stalls', 'Receipts', 'Tickets');
    this.#costs = new Facts('Hashing', 'Checking signatures', 'Signing receipts');
    const change = make('button', { type: 'button', class: 'text other' }, 'Change');
    change.addEventListener('click', () => {
      host.changeChoice();
    });
    this.element = make(
      'section',
      { class: 'panel', hidden: true, 'aria-labelledby': 'panel-title' },
      make(
        'header',
        {},
        make('h2', { id: 'panel-title' }, 'Who carries this stream'),
        this.#close.element,
      ),
      this.#summary,
      this.#bar,
      this.#list,
      make('h3', {}, 'Playback'),
      this.#facts.element,
      make('h3', {}, 'Your choice'),
      make('div', { class: 'choice' }, this.#choice, change),
      details('What it costs this device', this.#costs.element),
      details('Keys', shortcuts()),
    );
    this.element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      host.close();
    });
  }

  focus(): void {
    this.#close.element.focus();
  }

  show(stats: PlayerStats, consent: Consent): void {
    const total = stats.sources.reduce((sum, source) => sum + source.bytesDelivered, 0);
    setText(this.#summary, summary(stats.sources));
    stats.sources.forEach((source, index) => {
      this.#row(source, index).show(source, total);
    });
    this.#bar.hidden = total === 0;
    const { cpu } = stats;
    const receipts = stats.sources.reduce((sum, source) => sum + source.receipts, 0);
    this.#facts.show(
      stats.latencySeconds === null ? '–' : `${stats.latencySeconds.toFixed(1)} s`,
      `${stats.bufferSeconds.toFixed(1)} s`,
      stats.rendition ?? '–',
      stats.stalls === 0 ? 'none' : `${stats.stalls}, ${stats.stalledSeconds.toFixed(1)} s in all`,
      String(receipts),
      String(stats.tickets),
    );
    this.#costs.show(
      ...[cpu.hashMillis, cpu.verifyMillis, cpu.signMillis].map(
        (millis) => `${millis.toFixed(0)} ms`,
      ),
    );
    setText(this.#choice, CHOICES[consent]);
  }

  #row(source: SourceStats, index: number): SourceRow {
    const key = source.node ?? 'origin';
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = new SourceRow(source, index);
      this.#rows.set(key, row);
      this.#list.append(row.element);
      this.#bar.append(row.slice);
    }
    return row;
  }
}

/** Pairs of a name that stays and a value that changes. */
class Facts {
  readonly element = make('dl');
  readonly #values: HTMLElement[] = [];

  constructor(...names: readonly string[]) {
    for (const name of names) {
      const value = make('dd');
      this.#values.push(value);
      this.element.append(make('div', {}, make('dt', {}, name), value));
    }
  }

  show(...texts: readonly string[]): void {
    this.#values.forEach((value, index) => {
      setText(value, texts[index] ?? '');
    });
  }
}

const COLOURS = 6;

class SourceRow {
  readonly element: HTMLElement;
  readonly slice: HTMLElement;
  readonly #role = make('span', { class: 'role' });
  readonly #facts = new Facts('Brought', 'Share', 'On time', 'Receipts');
  readonly #why = make('p', { class: 'why', hidden: true });
  readonly #refused = make('p', { class: 'refused', hidden: true });

  constructor(source: SourceStats, index: number) {
    const colour = source.node === null ? 'origin' : `relay-${index % COLOURS}`;
    this.slice = make('div', { class: colour });
    const name =
      source.node === null
        ? make('span', { class: 'name' }, 'Origin')
        : make('code', { class: 'name', title: source.node }, shortAddress(source.node));
    this.element = make(
      'li',
      {},
      make(
        'div',
        { class: 'who' },
        make('span', { class: `swatch ${colour}`, 'aria-hidden': 'true' }),
        name,
        this.#role,
      ),
      make('p', { class: 'host' }, hostOf(source.endpoint)),
      this.#facts.element,
      this.#refused,
      this.#why,
    );
  }

  show(source: SourceStats, total: number): void {
    setText(this.#role, ROLES[source.role]);
    setAttribute(this.#role, 'data-role', source.role);
    this.#facts.show(
      bytes(source.bytesDelivered),
      share(source.bytesDelivered, total),
      share(source.bytesOnTime, source.bytesDelivered),
      source.node === null ? '–' : String(source.receipts),
    );
    this.#refused.hidden = source.bytesRefused === 0;
    setText(this.#refused, `${bytes(source.bytesRefused)} refused: not what the streamer signed.`);
    this.#why.hidden = source.role !== 'left' || source.leftBecause === null;
    setText(this.#why, source.leftBecause === null ? '' : LEFT_BECAUSE[source.leftBecause]);
    this.slice.style.setProperty('flex-grow', String(source.bytesDelivered));
  }
}

function details(title: string, content: HTMLElement): HTMLElement {
  return make('details', {}, make('summary', {}, title), content);
}

function shortcuts(): HTMLElement {
  const rows = SHORTCUTS.map(([keys, does]) =>
    make('div', {}, make('dt', {}, make('kbd', {}, keys)), make('dd', {}, does)),
  );
  return make('dl', { class: 'keys' }, ...rows);
}

/** How many relays bring or stand by to bring the stream. */
export function activeRelays(sources: readonly SourceStats[]): number {
  return sources.filter((source) => source.node !== null && source.role !== 'left').length;
}

export function carrierAnnouncement(source: SourceStats): string {
  if (source.role === 'primary' && source.node !== null)
    return `Carried by relay ${shortAddress(source.node)}`;
  if (source.role === 'origin') return 'Carried by the origin';
  return '';
}
