// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The constant parts of the HTML report: style, script, and the list of words.
//
// Called by page.cc. The colours --c0 to --c10 are told apart by colour-blind readers (after Paul
// Tol's schemes) on light and on dark ground.

#ifndef TOOLS_TALLY_PAGE_ASSETS_H_
#define TOOLS_TALLY_PAGE_ASSETS_H_

namespace tally::tool {

inline constexpr char kStyle[] = R"css(
:root {
  color-scheme: light dark;
  --ground: #f4f5f7; --panel: #fff; --ink: #1f2329; --faint: #636b75; --rule: #e3e6ea;
  --alarm: #c62f4a; --notice: #b26a00; --good: #1f7a4d; --meter: #4477aa33;
  --c0: #4477aa; --c1: #ee7733; --c2: #44aa99; --c3: #cc6677; --c4: #ddcc77; --c5: #88ccee;
  --c6: #aa4499; --c7: #999933; --c8: #117733; --c9: #882255; --c10: #c3c8ce;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111417; --panel: #1a1e23; --ink: #dfe3e8; --faint: #98a1ab; --rule: #2c3239;
    --alarm: #ff6b81; --notice: #f0a63a; --good: #4fc38a; --meter: #6699cc44;
    --c0: #5b93cc; --c2: #4fbdab; --c3: #d97a8a; --c8: #3a9e5c; --c9: #b8558a; --c10: #59616a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 24px 20px 48px; max-width: 1240px; background: var(--ground);
  color: var(--ink); font: 14px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
header { margin-bottom: 16px; }
h1 { margin: 0; font-size: 22px; font-weight: 600; }
h2 { margin: 0 0 8px; font-size: 15px; font-weight: 600; }
header p, .panel > p { margin: 2px 0 0; color: var(--faint); }
.panel {
  margin: 0 0 16px; padding: 14px 16px; background: var(--panel); border: 1px solid var(--rule);
  border-radius: 6px;
}
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 16px; }
.tile span, .tile small { display: block; color: var(--faint); }
.tile b { font-size: 24px; font-weight: 600; }
.found { margin: 0; padding: 0; list-style: none; }
.found li { position: relative; padding: 8px 0 8px 36px; border-top: 1px solid var(--rule); }
.found li:first-child { border-top: 0; }
.found li > i {
  position: absolute; left: 0; top: 9px; width: 22px; height: 22px; border-radius: 50%;
  color: var(--panel); font: 700 13px/22px system-ui, sans-serif; text-align: center;
}
.found p { margin: 2px 0 0; max-width: 125ch; }
.alarm b { color: var(--alarm); } .alarm > i { background: var(--alarm); }
.notice b { color: var(--notice); } .notice > i { background: var(--notice); }
.good b { color: var(--good); } .good > i { background: var(--good); }
figcaption { margin-bottom: 10px; color: var(--faint); }
figcaption b { display: block; color: var(--ink); font-size: 15px; font-weight: 600; }
.chart { display: grid; grid-template-columns: minmax(0, 1fr) 270px; column-gap: 20px; }
.chart figcaption { grid-column: 1 / -1; }
.plot { position: relative; }
svg { display: block; width: 100%; }
.chart svg { height: auto; touch-action: pan-y; }
.grid { stroke: var(--rule); stroke-width: 1; }
.tick { fill: var(--faint); font-size: 12px; }
.area { fill-opacity: .9; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.cursor { visibility: hidden; stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { color: var(--faint); font-weight: 500; text-align: right; }
td { text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.legend { align-self: start; width: 100%; font-size: 13px; }
.legend td, .legend th { padding: 2px 0 2px 10px; }
.legend td:first-child, .legend th:first-child { padding-left: 0; }
td > i { display: inline-block; width: 12px; height: 12px; margin-right: 7px; border-radius: 2px;
  vertical-align: -1px; }
.tip {
  position: absolute; z-index: 1; top: 12px; padding: 8px 10px; border: 1px solid var(--rule);
  border-radius: 4px; background: var(--panel); box-shadow: 0 3px 12px #0003; font-size: 12px;
  pointer-events: none;
}
.tip td { padding: 0 0 0 10px; } .tip td:first-child { padding: 0; }
.bars { display: grid; grid-template-columns: max-content max-content 1fr; gap: 5px 14px;
  align-items: center; font-variant-numeric: tabular-nums; }
.bars span:nth-child(3n + 2) { text-align: right; }
.bars svg { height: 16px; background: var(--ground); }
.scroll { overflow-x: auto; margin-top: 10px; }
.classes { width: 100%; }
.classes td, .classes th { padding: 4px 12px; border-top: 1px solid var(--rule); }
.classes thead th { border-top: 0; }
.meter { background: linear-gradient(90deg, var(--meter) calc(var(--part) * 100%), transparent 0); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
dt { font-weight: 600; } dd { margin: 0; color: var(--faint); }
@media (max-width: 900px) { .chart { grid-template-columns: minmax(0, 1fr); row-gap: 12px; } }
)css";

// Shows the values under the pointer. The page says everything without it.
inline constexpr char kScript[] = R"js(
'use strict';
function format(value, data) {
  const base = data.unit ? 1024 : 1000;
  const units = data.unit ? ['B', 'KiB', 'MiB', 'GiB', 'TiB'] : ['', 'k', 'M', 'G'];
  let unit = 0;
  while (Math.abs(value) >= base && unit < units.length - 1) { value /= base; ++unit; }
  return (value.toFixed(unit ? 1 : 0) + ' ' + units[unit]).trim() + data.rate;
}
function clock(seconds) {
  if (seconds < 60) return seconds.toFixed(1) + ' s';
  const s = Math.floor(seconds), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  return (h ? h + ' h ' : '') + m + ' min ' + s % 60 + ' s';
}
function add(parent, tag, text) {
  const child = parent.appendChild(document.createElement(tag));
  child.textContent = text;
  return child;
}
for (const figure of document.querySelectorAll('[data-chart]')) {
  const data = JSON.parse(figure.dataset.chart);
  const svg = figure.querySelector('svg'), cursor = figure.querySelector('.cursor');
  const tip = figure.querySelector('.plot').appendChild(document.createElement('div'));
  tip.className = 'tip';
  tip.hidden = true;
  const hide = () => { tip.hidden = true; cursor.style.visibility = 'hidden'; };
  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('pointermove', event => {
    const box = svg.getBoundingClientRect(), scale = data.width / box.width;
    const at = ((event.clientX - box.left) * scale - data.left) / (data.right - data.left);
    let i = 0;
    data.seconds.forEach((s, k) => {
      if (Math.abs(s - at * data.span) < Math.abs(data.seconds[i] - at * data.span)) i = k;
    });
    const x = data.left + data.seconds[i] / (data.span || 1) * (data.right - data.left);
    cursor.setAttribute('x1', x);
    cursor.setAttribute('x2', x);
    cursor.style.visibility = 'visible';
    tip.replaceChildren();
    add(tip, 'b', clock(data.seconds[i]));
    const table = tip.appendChild(document.createElement('table'));
    for (const layer of data.layers) {
      const row = table.appendChild(document.createElement('tr'));
      const name = row.appendChild(document.createElement('td'));
      add(name, 'i', '').style.background = layer.color;
      name.append(layer.name);
      add(row, 'td', format(layer.values[i], data));
    }
    tip.hidden = false;
    const left = x / scale, room = box.width - left;
    tip.style.left = (room > tip.offsetWidth + 16 ? left + 12 : left - tip.offsetWidth - 12) + 'px';
  });
}
)js";

inline constexpr char kWords[] = R"html(<section class="panel">
<h2>The words</h2>
<dl>
<dt>live</dt><dd>blocks in the program's hands, rounded up to their size class</dd>
<dt>cached</dt><dd>free blocks in the threads' caches, ready for the next malloc</dd>
<dt>free in pools</dt><dd>the holes that fragmentation leaves: free blocks in pools of which others
live; a pool goes back to the system only when its last block is freed</dd>
<dt>dirty</dt><dd>free pools and mappings that go back to the system when the decay time has
passed</dd>
<dt>purged</dt><dd>free pools that have gone back</dd>
<dt>large, huge</dt><dd>blocks above 32 KiB, which are runs of pools, and mappings of their own</dd>
<dt>outside Tally</dt><dd>resident memory of the process that malloc has no part in</dd>
</dl>
</section>
)html";

}  // namespace tally::tool

#endif  // TOOLS_TALLY_PAGE_ASSETS_H_
