/** The look of a report. Text and lines carry it; colour only helps. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c1c1c; --paper: #fff; --soft: #666; --line: #d8d8d8; --tint: #f4f4f2; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --paper: #16181d; --soft: #a2a6ad; --line: #363a42; --tint: #1f2229; --link: #7db8f0; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.2rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; text-wrap: balance; }
h2 { font-size: 1.35rem; margin: 2.6rem 0 .8rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 0 0 .4rem; }
a { color: var(--link); }
.machine, .caption, figcaption { color: var(--soft); }
.machine { margin: 0 0 1rem; font-size: .9rem; }
.caption { margin: 1.4rem 0 .4rem; }
.warning { border-left: 4px solid #d55e00; background: var(--tint); padding: .6rem .9rem; margin: .6rem 0; }
figure { margin: 0 0 2.2rem; }
figcaption { margin-top: .5rem; max-width: 46rem; }
.picture, .scroll { overflow-x: auto; }
.picture svg { display: block; max-width: 100%; min-width: 40rem; height: auto; }
table { border-collapse: collapse; font-size: .88rem; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; }
.numbers td, .numbers thead th:not(:first-child) { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.numbers tbody th { white-space: nowrap; }
.wide { min-width: 42rem; }
.wide td { width: 40%; }
.wide td.links { width: 20%; font-size: .8rem; overflow-wrap: anywhere; }
.claim { display: block; color: var(--soft); font-style: italic; }
@media (max-width: 42rem) {
  .wide { min-width: 0; }
  .wide, .wide tbody, .wide tr, .wide th, .wide td, .wide td.links { display: block; width: auto; border: 0; padding: .15rem 0; }
  .wide thead { display: none; }
  .wide tr { border-bottom: 1px solid var(--line); padding: .7rem 0; }
  .wide td[data-label]::before { content: attr(data-label) ': '; color: var(--soft); font-weight: 600; }
}
small { color: var(--soft); }
`;
