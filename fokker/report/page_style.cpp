#include "fokker/report/page_assets.h"

namespace fokker::report {

// Backgrounds are those of plot::Theme, so that figures have no visible edge.
const char* const page_style = R"css(
:root {
  color-scheme: light dark;
  --background: #ffffff; --text: #1d2127; --quiet: #565e69; --line: #dfe3e8; --raised: #f5f7f9;
  --accent: #2668b0; --samples: #d9660f; --note: #fff6e5; --note-line: #d9962b;
  --axis: #7d858f; --grid: #e7eaee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --background: #14171c; --text: #e8eaee; --quiet: #a8b0bb; --line: #2f353e; --raised: #1d2127;
    --accent: #5aa2ec; --samples: #f2994a; --note: #2a2415; --note-line: #b98a3a;
    --axis: #8b939e; --grid: #2a2f37;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--background); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere;
}
.page { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 0.4rem; }
h2 { font-size: 1.3rem; line-height: 1.3; letter-spacing: -0.005em; margin: 0 0 0.8rem; }
h3 { font-size: 1.02rem; margin: 1.8rem 0 0.5rem; }
p { margin: 0 0 0.9rem; max-width: 44rem; }
.summary { color: var(--quiet); font-size: 1.08rem; }
a { color: var(--accent); text-underline-offset: 0.15em; text-decoration-thickness: 0.06em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 3px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--background); padding: 0.3rem 0.6rem; z-index: 1; }
nav ul, .links { list-style: none; display: flex; flex-wrap: wrap; gap: 0.3rem 1.3rem; padding: 0; margin: 1.1rem 0 0; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
section { border-top: 1px solid var(--line); margin-top: 2.4rem; padding-top: 1.6rem; }
.highlights { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.8rem, 1fr)); gap: 1.1rem 1.4rem; margin: 1.6rem 0 0.6rem; }
.highlights div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.highlights dt { color: var(--quiet); font-size: 0.88rem; line-height: 1.35; }
.highlights dd { margin: 0; font-size: 1.5rem; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
.facts { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: 0.28rem 1.6rem; margin: 0 0 1rem; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; font-variant-numeric: tabular-nums; unicode-bidi: isolate; }
.formula { overflow-x: auto; overflow-y: hidden; max-width: 100%; padding: 0.3rem 0; }
math { font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math", "DejaVu Math TeX Gyre", math, serif; font-size: 1.12em; }
.scroll { overflow-x: auto; max-width: 100%; }
.scroll img { max-width: none; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0 0 1rem; }
.caption { color: var(--quiet); font-size: 0.92rem; margin: 0 0 0.5rem; }
th, td { text-align: right; padding: 0.32rem 0.9rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
th:first-child, td:first-child { text-align: left; padding-left: 0; min-width: 9rem; max-width: 26rem; overflow-wrap: anywhere; unicode-bidi: isolate; }
td { white-space: nowrap; }
thead th { color: var(--quiet); font-weight: 500; font-size: 0.92rem; white-space: nowrap; }
tbody th { font-weight: 400; }
.note { background: var(--note); border-left: 3px solid var(--note-line); padding: 0.6rem 0.9rem; border-radius: 0 4px 4px 0; }
figure { margin: 0 0 1.4rem; min-width: 0; }
figure img { display: block; max-width: 100%; height: auto; }
sub, sup { line-height: 0; font-size: 0.78em; }
figcaption { color: var(--quiet); font-size: 0.92rem; line-height: 1.45; margin-top: 0.45rem; max-width: 44rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 0.4rem 2rem; }
.pixelated { image-rendering: pixelated; }
.player { max-width: 34rem; }
.player canvas { display: block; width: 100%; }
.player.pixelated canvas { width: auto; max-width: 100%; }
.controls { display: flex; align-items: center; gap: 0.8rem; margin-top: 0.6rem; }
.controls[hidden] { display: none; }
.controls button {
  flex: none; min-width: 5.2rem; font: inherit; font-size: 0.95rem; color: var(--text); background: var(--raised);
  border: 1px solid var(--line); border-radius: 6px; padding: 0.4rem 0.8rem; cursor: pointer;
}
.controls button:hover { border-color: var(--axis); }
.controls input { flex: 1; min-width: 0; height: 2rem; margin: 0; accent-color: var(--accent); }
.controls output { flex: none; min-width: 5.5rem; font-variant-numeric: tabular-nums; font-size: 0.95rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin: 0.2rem 0 0; font-size: 0.92rem; }
.legend span::before { content: ""; display: inline-block; width: 0.65em; height: 0.65em; border-radius: 50%; margin-right: 0.45em; background: var(--axis); }
.legend .samples::before { background: var(--samples); }
details { margin: 0 0 0.9rem; }
summary { cursor: pointer; color: var(--accent); }
pre { overflow-x: auto; background: var(--raised); border-radius: 6px; padding: 0.8rem 1rem; font: 0.85rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; }
footer { border-top: 1px solid var(--line); margin-top: 2.4rem; padding-top: 1rem; color: var(--quiet); font-size: 0.9rem; }
@media (max-width: 34rem) {
  .page { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.55rem; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: 0.55rem; }
  th, td { padding: 0.32rem 0.5rem; }
  .controls { flex-wrap: wrap; }
  .controls output { min-width: 0; margin-left: auto; }
  .controls input { flex-basis: 100%; order: -1; }
}
@media print { nav, .controls, .skip { display: none; } section { break-inside: avoid; } }
)css";

}  // namespace fokker::report
