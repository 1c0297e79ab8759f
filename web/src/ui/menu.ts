import { iconButton, make, setAttribute, type Button, type IconName } from './dom';

export interface MenuItem {
  readonly value: string;
  readonly label: string;
}

/** A button with a menu of which one item is chosen, as ARIA describes it: arrows, Home, End, Escape. */
export class ChoiceMenu {
  readonly element: HTMLElement;
  readonly #button: Button;
  readonly #list = make('div', { class: 'menu', role: 'menu', hidden: true });
  readonly #choose: (value: string) => void;
  #items: readonly MenuItem[] = [];
  #chosen = '';

  constructor(icon: IconName, label: string, choose: (value: string) => void) {
    this.#choose = choose;
    this.#button = iconButton(icon, label, () => {
      this.#toggle(this.#list.hidden);
    });
    setAttribute(this.#button.element, 'aria-haspopup', 'menu');
    setAttribute(this.#button.element, 'aria-expanded', 'false');
    setAttribute(this.#list, 'aria-label', label);
    this.element = make('div', { class: 'with-menu' }, this.#button.element, this.#list);
    this.element.addEventListener('keydown', (event) => {
      if (!this.#list.hidden) this.#onKey(event);
    });
    this.element.addEventListener('focusout', (event) => {
      if (!(event.relatedTarget instanceof Node && this.element.contains(event.relatedTarget)))
        this.#toggle(false, { keepFocus: false });
    });
  }

  show(items: readonly MenuItem[], chosen: string): void {
    // One item is no choice.
    this.element.hidden = items.length < 2;
    if (chosen === this.#chosen && JSON.stringify(items) === JSON.stringify(this.#items)) return;
    [this.#items, this.#chosen] = [items, chosen];
    this.#list.replaceChildren(...items.map((item) => this.#entry(item)));
  }

  get isOpen(): boolean {
    return !this.#list.hidden;
  }

  #entry(item: MenuItem): HTMLElement {
    const entry = make(
      'button',
      {
        type: 'button',
        role: 'menuitemradio',
        tabindex: -1,
        'aria-checked': String(item.value === this.#chosen),
      },
      item.label,
    );
    entry.addEventListener('click', () => {
      this.#toggle(false);
      this.#choose(item.value);
    });
    return entry;
  }

  #entries(): HTMLElement[] {
    return [...this.#list.querySelectorAll<HTMLElement>('[role=menuitemradio]')];
  }

  #toggle(isOpen: boolean, { keepFocus = true } = {}): void {
    if (isOpen !== this.#list.hidden) return;
    this.#list.hidden = !isOpen;
    setAttribute(this.#button.element, 'aria-expanded', String(isOpen));
    if (isOpen)
      this.#entries()
        .find((entry) => entry.getAttribute('aria-checked') === 'true')
        ?.focus();
    else if (keepFocus) this.#button.element.focus();
  }

  #onKey(event: KeyboardEvent): void {
    const entries = this.#entries();
    const at = entries.findIndex((entry) => entry.matches(':focus'));
    const goals: Readonly<Record<string, number>> = {
      ArrowDown: (at + 1) % entries.length,
      ArrowUp: (at - 1 + entries.length) % entries.length,
      Home: 0,
      End: entries.length - 1,
    };
    const goal = goals[event.key];
    if (goal !== undefined) entries[goal]?.focus();
    else if (event.key === 'Escape') this.#toggle(false);
    else if (event.key !== 'Enter' && event.key !== ' ') return;
    // The player's own shortcuts are not meant while a menu is open.
    event.stopPropagation();
    if (event.key !== 'Enter' && event.key !== ' ') event.preventDefault();
  }
}
