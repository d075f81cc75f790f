// The charts beside a picture: lines over the last seconds of simulated time, and the actions as bars
// against their bounds. Place: fed by view.js with one state after the other.

export const WINDOW = 20; // seconds of simulated time shown
const KEEP = 6000; // points kept at most
const GUTTER = 46; // left of the plot, for the numbers of its axis
const FOOT = 17; // below it
const COLOURS = 7;

// A number in few characters, with a true minus sign.
export function short(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  value += 0; // no minus zero
  const size = Math.abs(value);
  const extreme = size >= 1e6 || (size > 0 && size < 0.005);
  const text = extreme ? value.toExponential(1).replace('e+', 'e') : value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : 2);
  return text.replaceAll('-', '−');
}

// Step between ticks: 1, 2 or 5 times a power of ten, about `count` of them.
function tickStep(span, count) {
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const share = raw / power;
  return power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10);
}

function tickText(value, step) {
  const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  if (value !== 0 && (Math.abs(value) >= 1e5 || digits > 3)) return value.toExponential(1).replace('e+', 'e').replaceAll('-', '−');
  return value.toFixed(digits > 3 ? 0 : digits).replace('-', '−');
}

let style = null;
export function colour(name) {
  style = style || getComputedStyle(document.documentElement);
  return style.getPropertyValue(name).trim();
}

// What a panel has been through: simulated time and, for each name, numbers.
export class History {
  constructor() {
    this.time = [];
    this.begins = []; // whether an episode begins with the point
    this.column = {};
    this.breaks = []; // times at which an episode began
    this.offset = 0;
    this.last = null;
  }

  push(state, values) {
    const last = this.last;
    const begins = last !== null && (last.episode !== state.episode || state.time < last.time);
    if (begins) {
      this.offset += last.time;
      this.breaks.push(this.offset);
      if (this.breaks.length > 64) this.breaks.shift();
    } else if (last && last.steps === state.steps && last.time === state.time) {
      return false;
    }
    this.last = { episode: state.episode, time: state.time, steps: state.steps };
    this.time.push(this.offset + state.time);
    this.begins.push(begins);
    for (const [name, value] of Object.entries(values)) {
      (this.column[name] = this.column[name] || new Array(this.time.length - 1).fill(null)).push(value);
    }
    if (this.time.length > KEEP) {
      this.time.splice(0, KEEP / 4);
      this.begins.splice(0, KEEP / 4);
      for (const name of Object.keys(this.column)) this.column[name].splice(0, KEEP / 4);
    }
    return true;
  }

  get end() {
    return this.time.length ? this.time[this.time.length - 1] : 0;
  }

  // Index of the first point at or past a time.
  from(time) {
    let low = 0;
    let high = this.time.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.time[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

class Chart {
  constructor(parent, { title, unit, tall }) {
    this.element = document.createElement('section');
    this.element.className = tall ? 'chart tall' : 'chart';
    const header = document.createElement('header');
    const add = (tag, name, text) => {
      const element = document.createElement(tag);
      element.className = name;
      element.textContent = text;
      header.append(element);
      return element;
    };
    this.title = add('h2', '', title);
    this.unit = add('span', 'unit', unit || '');
    this.now = add('output', 'now', '');
    this.now.ariaLabel = title;
    this.canvas = document.createElement('canvas');
    this.canvas.setAttribute('role', 'img');
    this.canvas.setAttribute('aria-label', title);
    this.legend = document.createElement('p');
    this.legend.className = 'legend';
    this.element.append(header, this.canvas, this.legend);
    parent.append(this.element);
  }

  // The canvas in device pixels, cleared; null while it has no size.
  begin() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width < GUTTER + 20 || height < FOOT + 20) return null;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    const g = this.canvas.getContext('2d');
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    g.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    return { g, x: GUTTER, y: 6, width: width - GUTTER - 6, height: height - FOOT - 6 };
  }

  // Horizontal lines and their numbers for an axis from low to high.
  axis(box, low, high, step) {
    const { g } = box;
    g.textAlign = 'right';
    g.textBaseline = 'middle';
    g.lineWidth = 1;
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
      const y = Math.round(box.y + box.height * (1 - (k * step - low) / (high - low))) + 0.5;
      g.strokeStyle = colour(k === 0 ? '--line' : '--grid');
      g.beginPath();
      g.moveTo(box.x, y);
      g.lineTo(box.x + box.width, y);
      g.stroke();
      g.fillStyle = colour('--dim');
      g.fillText(tickText(k * step, step), box.x - 6, y);
    }
  }
}

export class LineChart extends Chart {
  // series: [{name, label}], the first in the colour of the text
  constructor(parent, options) {
    super(parent, options);
    this.series = [];
    this.range = null;
    if (options.series) this.setSeries(options.series);
  }

  setSeries(series) {
    this.series = series;
    this.legend.replaceChildren();
    this.value = [];
    if (series.length < 2) return;
    series.forEach((one, k) => {
      const item = document.createElement('span');
      const key = document.createElement('i');
      key.className = `k${k % COLOURS}`;
      const value = document.createElement('b');
      item.append(key, `${one.label} `, value);
      this.legend.append(item);
      this.value.push(value);
    });
  }

  // A range of round numbers around what is shown; it grows at once and shrinks reluctantly.
  fit(low, high, height) {
    if (!(high - low > 1e-9)) {
      const room = Math.max(0.5, Math.abs(high) * 0.1);
      low -= room;
      high += room;
    }
    const old = this.range;
    if (old && low >= old.low && high <= old.high && high - low > 0.45 * (old.high - old.low)) return old;
    const step = tickStep(high - low, Math.max(1, Math.min(3, height / 26)));
    return (this.range = { low: Math.floor(low / step) * step, high: Math.ceil(high / step) * step, step });
  }

  draw(history, hover) {
    const box = this.begin();
    const at = hover === null ? history.time.length - 1 : Math.min(history.from(hover), history.time.length - 1);
    const value = (one) => (history.column[one.name] || [])[at];
    if (this.series.length) this.now.textContent = short(value(this.series[0]));
    this.value.forEach((element, k) => (element.textContent = short(value(this.series[k]))));
    if (!box || history.time.length === 0) return;
    const end = history.end;
    const first = history.from(end - WINDOW);
    let low = Infinity;
    let high = -Infinity;
    for (const one of this.series) {
      const column = history.column[one.name] || [];
      for (let i = first; i < column.length; i++) {
        if (column[i] === null) continue;
        if (column[i] < low) low = column[i];
        if (column[i] > high) high = column[i];
      }
    }
    if (!(low <= high)) return;
    const range = this.fit(low, high, box.height);
    this.axis(box, range.low, range.high, range.step);
    this.times(box, history, end, hover);
    const { g } = box;
    g.save();
    g.beginPath();
    g.rect(box.x, box.y - 2, box.width, box.height + 4);
    g.clip();
    for (let k = this.series.length - 1; k >= 0; k--) this.line(box, history, this.series[k], k, first, end, range);
    g.restore();
  }

  line(box, history, one, k, first, end, range) {
    const { g } = box;
    const column = history.column[one.name] || [];
    g.strokeStyle = colour(this.series.length > 1 ? `--c${k % COLOURS}` : '--c1');
    g.lineWidth = k === 0 ? 1.75 : 1.25;
    g.lineJoin = 'round';
    g.beginPath();
    let pen = false;
    for (let i = first; i < column.length; i++) {
      // a line does not run from one episode into the next
      if (history.begins[i]) pen = false;
      if (column[i] === null) {
        pen = false;
        continue;
      }
      const x = box.x + box.width * (1 + (history.time[i] - end) / WINDOW);
      const y = box.y + box.height * (1 - (column[i] - range.low) / (range.high - range.low));
      if (pen) g.lineTo(x, y);
      else g.moveTo(x, y);
      pen = true;
    }
    g.stroke();
  }

  // The time axis, the beginnings of episodes, and the place pointed at.
  times(box, history, end, hover) {
    const { g } = box;
    const place = (time) => Math.round(box.x + box.width * (1 + (time - end) / WINDOW)) + 0.5;
    g.textBaseline = 'top';
    g.fillStyle = colour('--dim');
    for (let back = 0; back <= WINDOW; back += box.width < 220 ? 10 : 5) {
      g.textAlign = back === 0 ? 'right' : back === WINDOW ? 'left' : 'center';
      g.fillText(back === 0 ? '0 s' : `−${back}`, place(end - back), box.y + box.height + 5);
    }
    g.strokeStyle = colour('--dim');
    g.setLineDash([2, 3]);
    g.beginPath();
    for (const time of history.breaks) {
      if (time <= end - WINDOW) continue;
      g.moveTo(place(time), box.y);
      g.lineTo(place(time), box.y + box.height);
    }
    g.stroke();
    g.setLineDash([]);
    if (hover === null) return;
    g.strokeStyle = colour('--accent');
    g.beginPath();
    g.moveTo(place(hover), box.y);
    g.lineTo(place(hover), box.y + box.height);
    g.stroke();
  }

  // Simulated time under a pointer at clientX.
  timeAt(history, clientX) {
    const frame = this.canvas.getBoundingClientRect();
    const share = (clientX - frame.left - GUTTER) / (frame.width - GUTTER - 6);
    return share < 0 || share > 1 ? null : history.end - WINDOW * (1 - share);
  }
}

// One bar an actuator: full what it got, as a share of its range; hollow and in another colour what the
// policy asked for beyond that.
export class ActionChart extends Chart {
  constructor(parent, options) {
    super(parent, options);
    this.legend.innerHTML =
      '<span><i class="k1"></i>given to the actuator</span><span><i class="k2"></i>cut off</span>';
  }

  // What is pointed at, by name; without a pointer, what the bars are.
  point(state, clientX) {
    const frame = this.canvas.getBoundingClientRect();
    const share = (clientX - frame.left - GUTTER) / (frame.width - GUTTER - 6);
    this.pointed = clientX !== null && share >= 0 && share < 1 ? Math.floor(share * state.act.length) : -1;
  }

  draw(state) {
    const k = this.pointed ?? -1;
    const name = k >= 0 && (state.actuators[k] || `actuator ${k}`);
    const unit = k >= 0 ? `${name}: ${short(state.ctrl[k])}, asked ${short(state.act[k])}` : 'by actuator, of its range';
    if (this.unit.textContent !== unit) this.unit.textContent = unit;
    const clipped = state.act.filter((a) => Math.abs(a) > 1).length;
    this.now.textContent = k < 0 && clipped ? `${clipped} of ${state.act.length} cut off` : '';
    const box = this.begin();
    if (!box) return;
    const { g } = box;
    const reach = 1.5;
    const place = (value) => box.y + (box.height * (reach - Math.max(-reach, Math.min(reach, value)))) / (2 * reach);
    this.axis(box, -reach, reach, 1);
    g.setLineDash([3, 3]);
    g.strokeStyle = colour('--dim');
    g.beginPath();
    for (const bound of [-1, 1]) {
      g.moveTo(box.x, Math.round(place(bound)) + 0.5);
      g.lineTo(box.x + box.width, Math.round(place(bound)) + 0.5);
    }
    g.stroke();
    g.setLineDash([]);
    const pitch = box.width / state.act.length;
    const width = Math.max(2, Math.min(26, pitch * 0.66));
    const every = Math.ceil(18 / pitch);
    g.textAlign = 'center';
    g.textBaseline = 'top';
    state.act.forEach((asked, k) => {
      const x = box.x + (k + 0.5) * pitch - width / 2;
      const range = state.ctrl_range[k];
      const given = range ? (2 * (state.ctrl[k] - range[0])) / (range[1] - range[0]) - 1 : asked;
      g.fillStyle = colour('--c1');
      g.fillRect(x, Math.min(place(0), place(given)), width, Math.max(1, Math.abs(place(given) - place(0))));
      if (Math.abs(asked) > 1 && range) {
        g.strokeStyle = colour('--c2');
        g.lineWidth = 1.5;
        const edge = place(given);
        const tip = place(asked);
        g.strokeRect(x + 0.75, Math.min(edge, tip), width - 1.5, Math.max(2, Math.abs(tip - edge)));
      }
      g.fillStyle = colour('--dim');
      if (k % every === 0) g.fillText(String(k), x + width / 2, box.y + box.height + 5);
    });
  }
}

// Colours change with the theme.
window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => (style = null));
