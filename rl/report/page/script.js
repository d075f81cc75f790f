// Under the pointer: where it is, and what each line has nearest to it. The drawn points themselves are read, so the
// page holds its data once; without a script it lacks nothing but this.
'use strict';
const tip = document.createElement('div');
tip.id = 'tip';
tip.hidden = true;
document.body.append(tip);

const format = (value) =>
  Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? value.toExponential(3) : String(+value.toPrecision(5));

// the points of all stretches of a line, or of its band, by the line's number
function collect(svg, selector) {
  const found = new Map();
  for (const shape of svg.querySelectorAll(selector)) {
    const points = shape.getAttribute('points').trim().split(' ').map((pair) => pair.split(',').map(Number));
    found.set(shape.dataset.l, (found.get(shape.dataset.l) || []).concat(points));
  }
  return found;
}

const nearest = (points, x) => points.reduce((a, b) => (Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a));

for (const svg of document.querySelectorAll('svg[data-x]')) {
  const [x0, x1, left, right] = svg.dataset.x.split(' ').map(Number);
  const [y0, y1, bottom, top] = svg.dataset.y.split(' ').map(Number);
  // the browser would show the title as a tooltip of its own
  const title = svg.querySelector('title');
  svg.setAttribute('aria-label', title.textContent);
  svg.removeAttribute('aria-labelledby');
  title.remove();
  const lines = collect(svg, 'polyline[data-l]');
  const bands = collect(svg, 'polygon[data-l]');
  const names = new Map([...svg.querySelectorAll('polyline[data-l]')].map((line) => [line.dataset.l, line.dataset.name]));
  if (!lines.size) continue;
  const hair = document.createElementNS(svg.namespaceURI, 'path');
  hair.setAttribute('class', 'hair');
  svg.append(hair);
  const hide = () => {
    tip.hidden = true;
    hair.removeAttribute('d');
  };

  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('pointermove', (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) * svg.viewBox.baseVal.width) / box.width;
    if (x < left || x > right) return hide();
    const scale = (y1 - y0) / (bottom - top);
    let text = '', at = null;
    for (const [line, points] of lines) {
      const point = nearest(points, x);
      at = at === null ? point[0] : at;
      text += '\n' + (lines.size > 1 ? names.get(line) + ': ' : '') + format(y0 + (bottom - point[1]) * scale);
      const edges = (bands.get(line) || []).filter((edge) => edge[0] === point[0]).map((edge) => edge[1]);
      if (edges.length > 1) text += ' ± ' + format(((Math.max(...edges) - Math.min(...edges)) / 2) * scale);
    }
    const here = x0 + ((at - left) / (right - left)) * (x1 - x0);
    tip.textContent = (here >= 1000 ? Math.round(here).toLocaleString('en') : format(here)) + text;
    hair.setAttribute('d', `M${at} ${top}V${bottom}`);
    tip.hidden = false;
    tip.style.left = Math.max(0, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 4)) + 'px';
    tip.style.top = event.clientY + 14 + 'px';
  });
}
