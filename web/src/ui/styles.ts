/** The player's looks. Sizes of targets are 44 px at least; over the picture all is light on dark. */
const CSS = `
:host {
  color-scheme: light dark;
  --paper: light-dark(#fbfaf7, #15181d);
  --ink: light-dark(#1b1f24, #eceae4);
  --soft: light-dark(#565c63, #a9adb3);
  --line: light-dark(#d9d6cd, #2e333b);
  --accent: light-dark(#0b6b57, #5fe0bd);
  --on-accent: light-dark(#ffffff, #06251d);
  --warn: light-dark(#9a3412, #ffb38a);
  --live: #ff5247;
  display: block;
  container-type: inline-size;
  font: 400 0.9375rem/1.45 system-ui, sans-serif;
  color: var(--ink);
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
.root { position: relative; display: flex; flex-direction: column; height: 100%; min-height: 0; background: var(--paper); border-radius: inherit; overflow: hidden; }
.stage { position: relative; flex: 1 0 auto; display: grid; aspect-ratio: 16 / 9; background: #08090b; overflow: hidden; }
.stage > * { grid-area: 1 / 1; min-width: 0; }
video { width: 100%; height: 100%; position: absolute; inset: 0; object-fit: contain; }
.for-ears { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
h2, h3, p, ul, dl, dd { margin: 0; padding: 0; }
h2 { font-size: 1.125rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.01em; text-wrap: balance; }
h3 { font-size: 0.9375rem; font-weight: 650; }
button, input, summary { font: inherit; color: inherit; }
button { border: 0; background: none; cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
svg { width: 24px; height: 24px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
svg.filled { fill: currentColor; stroke-width: 1; }
svg.dotted { stroke-width: 2.4; }

.message { display: grid; place-items: center; min-height: 100%; padding: 16px; overflow: auto; z-index: 3; pointer-events: none; }
.root[data-phase=watching] .message { place-items: start center; padding: 8px; }
.root[data-phase=watching] .card { padding: 14px 16px; gap: 8px; }
.message:empty { display: none; }
.message > * { pointer-events: auto; }
.card { max-width: 34rem; width: 100%; padding: 20px; display: grid; gap: 12px; background: var(--paper); color: var(--ink); border-radius: 12px; text-align: start; }
.card[role=alert] { width: auto; min-width: min(100%, 20rem); }
.card ul { display: grid; gap: 6px; padding-inline-start: 1.1em; }
.card li::marker { color: var(--accent); }
.card > .text { justify-self: start; }
.choices { display: flex; flex-wrap: wrap; gap: 10px; }
.choices > * { flex: 1 1 12rem; }
.text { min-height: 44px; padding: 8px 16px; border-radius: 8px; font-weight: 600; }
.main { background: var(--accent); color: var(--on-accent); }
.main:hover { filter: brightness(1.08); }
.other { box-shadow: inset 0 0 0 1.5px var(--line); }
.other:hover { box-shadow: inset 0 0 0 1.5px var(--soft); }
.bare { text-decoration: underline; text-underline-offset: 3px; }
.small { font-size: 0.875rem; color: var(--soft); }
.check { display: flex; align-items: center; gap: 10px; min-height: 44px; }
.check input { width: 22px; height: 22px; margin: 0; accent-color: var(--accent); flex: none; }
.starting { display: grid; gap: 8px; justify-items: center; text-align: center; color: #f2f0ea; }
.start { display: grid; place-items: center; width: 84px; height: 84px; border-radius: 50%; background: #5fe0bd; color: #06251d; }
.start:hover { background: #83ecd0; }
.start svg { width: 40px; height: 40px; }
.starting :focus-visible { outline-color: #fff; }
.waiting { place-self: center; width: 44px; height: 44px; border-radius: 50%; border: 4px solid #ffffff40; border-top-color: #fff; animation: turn 0.9s linear infinite; z-index: 1; pointer-events: none; }
@keyframes turn { to { rotate: 1turn; } }
.unmute { place-self: start; margin: 12px; z-index: 2; background: #f2f0ea; color: #1b1f24; }

.controls { align-self: end; position: relative; z-index: 2; padding: 40px 4px 4px; color: #fff; background: linear-gradient(#0000, #000000b8 60%, #000000d9); transition: opacity 0.2s; }
.controls :focus-visible, .unmute:focus-visible { outline-color: #fff; }
.quiet .controls:not(:has(:focus-visible)) { opacity: 0; pointer-events: none; }
.quiet .stage { cursor: none; }
.buttons { display: flex; align-items: center; gap: 2px; }
.gap { flex: 1; }
.icon { display: inline-flex; align-items: center; justify-content: center; gap: 4px; min-width: 44px; height: 44px; padding: 0 8px; border-radius: 8px; }
@media (hover: hover) { .controls .icon:hover, .live:hover { background: #ffffff26; } }
.count { font-variant-numeric: tabular-nums; font-weight: 600; }
.count:empty { display: none; }
.live { display: inline-flex; align-items: center; gap: 6px; height: 44px; padding: 0 6px; border-radius: 8px; font-weight: 600; white-space: nowrap; }
.dot { width: 9px; height: 9px; border-radius: 50%; background: #b9bcc0; }
.live.now .dot { background: var(--live); }
.behind { font-variant-numeric: tabular-nums; font-size: 0.875rem; padding-inline: 4px; }
.volume { -webkit-appearance: none; appearance: none; display: none; width: 84px; height: 44px; margin: 0 8px 0 0; background: none; cursor: pointer; }
.volume::-webkit-slider-runnable-track { height: 4px; border-radius: 2px; background: linear-gradient(to right, #fff calc(var(--at) * 100%), #ffffff59 0); }
.volume::-webkit-slider-thumb { -webkit-appearance: none; width: 14px; height: 14px; margin-top: -5px; border-radius: 50%; background: #fff; }
.volume::-moz-range-track { height: 4px; border-radius: 2px; background: #ffffff59; }
.volume::-moz-range-progress { height: 4px; border-radius: 2px; background: #fff; }
.volume::-moz-range-thumb { width: 14px; height: 14px; border: 0; border-radius: 50%; background: #fff; }

.timeline { position: relative; height: 44px; margin: 0 8px -8px; display: grid; align-items: center; cursor: pointer; touch-action: none; --at: 1; }
.timeline[aria-disabled] { pointer-events: none; opacity: 0.6; }
.rail { height: 4px; border-radius: 2px; background: #ffffff59; overflow: hidden; }
.played { height: 100%; width: calc(var(--at) * 100%); background: #5fe0bd; }
.knob { position: absolute; left: calc(var(--at) * 100%); width: 14px; height: 14px; margin-inline-start: -7px; border-radius: 50%; background: #fff; }
.preview { --width: min(160px, 36cqw); position: absolute; bottom: 36px; left: clamp(var(--width) / 2, var(--over) * 100%, 100% - var(--width) / 2); translate: -50% 0; display: grid; justify-items: center; gap: 4px; pointer-events: none; font-size: 0.875rem; font-variant-numeric: tabular-nums; font-weight: 600; text-shadow: 0 1px 3px #000; }
.preview img { width: var(--width); border-radius: 6px; border: 2px solid #fff; background: #08090b; }

.with-menu { position: relative; }
.menu { position: absolute; right: 0; bottom: 48px; min-width: 11rem; max-height: max(104px, 100cqw * 9 / 16 - 64px); overflow: auto; padding: 6px; border-radius: 10px; background: #15181d; box-shadow: 0 6px 24px #000a; display: grid; }
.menu button { min-height: 44px; padding: 6px 12px 6px 34px; text-align: start; border-radius: 6px; position: relative; white-space: nowrap; }
.menu button:hover { background: #ffffff1a; }
.menu [aria-checked=true]::before { content: ""; position: absolute; left: 12px; top: 50%; width: 10px; height: 5px; border: solid #5fe0bd; border-width: 0 0 2px 2px; rotate: -45deg; translate: 0 -70%; }

.panel { padding: 8px 16px 20px; display: grid; gap: 14px; align-content: start; overflow: auto; overscroll-behavior: contain; background: var(--paper); color: var(--ink); border-top: 1px solid var(--line); }
.panel header { display: flex; align-items: center; justify-content: space-between; margin-inline-end: -10px; }
.panel h3 { margin-top: 4px; }
.summary { text-wrap: pretty; }
.bar { display: flex; gap: 2px; height: 14px; border-radius: 4px; overflow: hidden; }
.bar > * { flex-basis: 0; min-width: 0; transition: flex-grow 0.4s; }
.relay-0 { background: light-dark(#0b7a63, #5fe0bd); }
.relay-1 { background: light-dark(#3b5bdb, #8ea8ff); }
.relay-2 { background: light-dark(#b35c00, #ffb454); }
.relay-3 { background: light-dark(#a61e69, #ff8cc4); }
.relay-4 { background: light-dark(#5f3dc4, #c3a6ff); }
.relay-5 { background: light-dark(#5c7a00, #c2e25b); }
.origin { background: light-dark(#868e96, #868e96); }
.sources { list-style: none; display: grid; gap: 14px; }
.sources li { display: grid; gap: 4px; padding-top: 12px; border-top: 1px solid var(--line); }
.who { display: flex; align-items: center; gap: 8px; flex-wrap: wrap; }
.swatch { width: 12px; height: 12px; border-radius: 3px; flex: none; }
.name { font-weight: 650; font-family: inherit; }
code.name { font-family: ui-monospace, monospace; font-size: 0.9em; }
.role { margin-inline-start: auto; font-size: 0.875rem; color: var(--soft); }
.role[data-role=primary], .role[data-role=origin] { color: var(--accent); font-weight: 600; }
.host { color: var(--soft); font-size: 0.875rem; overflow-wrap: anywhere; }
.why, .refused { font-size: 0.875rem; }
.refused { color: var(--warn); font-weight: 600; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: 8px 16px; }
.sources dl { grid-template-columns: repeat(4, auto); justify-content: space-between; gap: 4px 12px; }
dt { font-size: 0.8125rem; color: var(--soft); }
dd { font-variant-numeric: tabular-nums; font-weight: 600; }
.choice { display: flex; gap: 12px; align-items: center; justify-content: space-between; }
details { border-top: 1px solid var(--line); }
summary { min-height: 44px; display: flex; align-items: center; gap: 8px; font-weight: 650; cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary::after { content: ""; width: 8px; height: 8px; border: solid var(--soft); border-width: 0 2px 2px 0; rotate: 45deg; margin-inline-start: auto; margin-inline-end: 6px; }
details[open] summary::after { rotate: -135deg; }
.keys { grid-template-columns: 1fr; gap: 6px; padding-bottom: 8px; }
.keys > div { display: flex; justify-content: space-between; gap: 16px; }
.keys dd { font-weight: 400; }
kbd { font: inherit; font-weight: 600; color: var(--ink); }

/* While it asks, the card decides how tall a narrow player is. */
.root:not([data-phase=watching]) .stage { aspect-ratio: auto; min-height: calc(100cqw * 9 / 16); }
:host([fill]) { height: 100%; }
:host([fill]) .stage { aspect-ratio: auto; flex: 1 1 0; min-height: 0; overflow: auto; }
:host([fill]) .panel { flex: 0 1 auto; max-height: 60%; }
.root:fullscreen { border-radius: 0; }
.root:fullscreen .stage { aspect-ratio: auto; flex: 1 1 0; min-height: 0; }
.root:fullscreen .panel { max-height: 60%; }

@container (max-width: 30rem) {
  .behind, .float { display: none; }
}
@container (max-width: 19.9rem) {
  .count { display: none; }
}
@container (min-width: 30rem) {
  .controls { padding-inline: 8px; }
  .live { padding-inline: 10px; gap: 8px; }
  .volume { display: block; }
}
@container (min-width: 48rem) {
  .panel, :host([fill]) .panel, .root:fullscreen .panel { position: absolute; z-index: 4; inset: 0 0 0 auto; width: 24rem; max-height: none; border-top: 0; border-inline-start: 1px solid var(--line); }
  .root:has(> .panel:not([hidden])) .controls { margin-inline-end: 24rem; }
  .card { padding: 28px; gap: 14px; }
}
@media (prefers-reduced-motion: reduce) {
  * { transition: none !important; }
  .waiting { animation-duration: 3s; }
}
@media (forced-colors: active) {
  .rail, .bar, .swatch, .dot { forced-color-adjust: none; }
}
`;

let made: CSSStyleSheet | null = null;

/** One sheet for all players of a page. Made by script, so that the page's policy need not allow inline styles. */
export function sheet(): CSSStyleSheet {
  if (made === null) {
    made = new CSSStyleSheet();
    made.replaceSync(CSS);
  }
  return made;
}
