/** The little that a user interface of some dozen elements needs to make and change them. */

type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/** Make an element. `true` sets a bare attribute, `false` and `null` leave it out. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children);
  return element;
}

export function setAttribute(
  element: Element,
  name: string,
  value: string | number | boolean | null,
): void {
  if (value === false || value === null) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? '' : String(value));
}

/** Write a text only when it changes, so that neither selection nor a screen reader is disturbed each second. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export interface Button {
  readonly element: HTMLButtonElement;
  /** Change picture and name at once: the name says what a press does now. */
  show(icon: IconName, label: string): void;
}

export function iconButton(icon: IconName, label: string, press: () => void): Button {
  const element = make('button', { type: 'button', class: 'icon' });
  const show = (nextIcon: IconName, nextLabel: string): void => {
    if (element.dataset['icon'] !== nextIcon) {
      element.dataset['icon'] = nextIcon;
      element.querySelector('svg')?.remove();
      element.prepend(drawing(nextIcon));
    }
    setAttribute(element, 'aria-label', nextLabel);
    setAttribute(element, 'title', nextLabel);
  };
  show(icon, label);
  element.addEventListener('click', press);
  return { element, show };
}

const SVG = 'http://www.w3.org/2000/svg';

const PATHS = {
  play: 'M8 5v14l11-7z',
  pause: 'M6 5h4v14H6zM14 5h4v14h-4z',
  loud: 'M4 9v6h4l5 4V5L8 9zM16 8.5a5 5 0 0 1 0 7M18.5 6a8.5 8.5 0 0 1 0 12',
  quiet: 'M4 9v6h4l5 4V5L8 9zM16 9.5l5 5M21 9.5l-5 5',
  quality: 'M4 7h9M17 7h3M4 12h3M11 12h9M4 17h11M19 17h1M15 5v4M9 10v4M17 15v4',
  carriers: 'M12 4v5M12 9 6 15M12 9l6 6M12 4h.01M6 17h.01M18 17h.01',
  float: 'M4 5h16v14H4zM12 12h6v5h-6z',
  grow: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  shrink: 'M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5',
  close: 'M6 6l12 12M18 6L6 18',
} as const;
const FILLED: readonly string[] = ['play', 'pause'];

export type IconName = keyof typeof PATHS;

export function drawing(icon: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  if (FILLED.includes(icon)) svg.classList.add('filled');
  if (icon === 'carriers') svg.classList.add('dotted');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[icon]);
  svg.append(path);
  return svg;
}
