// The live view: panels, their states over a WebSocket, and the controls. Place: joins stream.js
// (pictures), charts.js and input.js; docs/view.md says what goes over the wire.
import { ActionChart, History, LineChart, short } from './charts.js';
import { FLAGS, followKeys, followPointers } from './input.js';
import { Stream } from './stream.js';

const SPEEDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8];
const CALM = window.matchMedia('(prefers-reduced-motion: reduce)');
// pixels of a picture: it starts modest and goes where drawing takes neither long nor no time
const PIXELS = { least: 0.3e6, most: 2.0e6, start: 0.45e6, quick: 12, slow: 30 };

const element = (id) => document.getElementById(id);
const base = new URL('.', location.href);
const panels = [];
let socket = null;
let linked = true;
let chosen = 0;
let mode = 'orbit';
let tries = 0;
let pixels = PIXELS.start;

// ---------------------------------------------------------------- sending

function send(panel, command, fields = {}) {
  if (!socket || socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ do: command, panel: panel.number, ...fields }));
  if (command !== 'resize') panel.asked(performance.now());
}

const targets = () => (linked ? panels : panels.slice(chosen, chosen + 1)).filter((panel) => panel.state);
const sendAll = (command, fields) => targets().forEach((panel) => send(panel, command, fields));
// A camera moved in one panel moves in those linked to it.
const move = (panel, command, fields) =>
  (linked ? panels : [panel]).forEach((one) => send(one, command, fields));

function choose(panel) {
  if (chosen === panel.number) return;
  chosen = panel.number;
  showControls();
}

// ---------------------------------------------------------------- a panel

class Panel {
  constructor(number) {
    this.number = number;
    this.root = element('panel').content.firstElementChild.cloneNode(true);
    const find = (name) => this.root.querySelector(name);
    this.canvas = find('.picture');
    this.part = {};
    for (const name of ['task', 'policy', 'badge', 'episode', 'body', 'rate', 'note']) this.part[name] = find(`.${name}`);
    this.state = null;
    this.history = new History();
    this.dirty = false;
    this.hover = null;
    this.video = 0;
    this.saving = null; // while a video is made: {note, since} of the moment it was asked for
    this.pending = null; // a command whose picture is awaited
    this.latency = null;
    this.times = []; // of the last pictures
    const charts = find('.charts');
    this.lines = [
      new LineChart(charts, { title: 'Return', unit: 'this episode', series: [{ name: 'return', label: 'return' }] }),
      new LineChart(charts, { title: 'Reward', unit: 'per step', tall: true }),
      new LineChart(charts, { title: 'Value', unit: 'of the state', series: [{ name: 'value', label: 'value' }] }),
      new LineChart(charts, { title: 'Contact force', unit: 'N, sum of normals', series: [{ name: 'force', label: 'force' }] }),
    ];
    this.actions = new ActionChart(charts, { title: 'Actions', unit: 'by actuator, of its range', tall: true });
    charts.insertBefore(this.actions.element, this.lines[3].element);
    this.stream = new Stream(new URL(`stream/${number}`, base), this.canvas, (part) => this.drawn(part), (status) => this.retry(status));
    element('panels').append(this.root);
    followPointers(this, { mode: () => mode, send, move, choose });
    this.watchSize();
    this.watchHover();
  }

  retry(status) {
    if (status === 503) say('As many look at this view as it can bear. Trying again…');
    setTimeout(() => this.watch(), 1000);
  }

  // Pictures are fetched while somebody can see them; nobody's simulation pauses.
  watch() {
    const wanted = socket && socket.readyState === WebSocket.OPEN && !document.hidden;
    if (wanted) this.stream.start();
    else this.stream.stop();
  }

  watchSize() {
    let timer = 0;
    new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(() => this.fit(), 150);
      this.dirty = true;
    }).observe(this.root);
  }

  // Asks for pictures of the shape of their place.
  fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!this.state || width < 32 || height < 32) return;
    const ratio = window.devicePixelRatio || 1;
    const scale = Math.min(ratio, Math.sqrt(pixels / (width * height)));
    const even = (length) => Math.max(16, Math.min(4096, 2 * Math.round((length * scale) / 2)));
    const x = even(width);
    const y = even(height);
    if (x === this.state.width && y === this.state.height) return;
    send(this, 'resize', { x, y });
  }

  watchHover() {
    const charts = this.root.querySelector('.charts');
    charts.addEventListener('pointermove', (event) => {
      const line = this.lines.find((one) => one.element.contains(event.target));
      this.hover = line ? line.timeAt(this.history, event.clientX) : null;
      if (this.state) this.actions.point(this.state, this.actions.element.contains(event.target) ? event.clientX : null);
      this.dirty = true;
    });
    charts.addEventListener('pointerleave', () => {
      this.hover = null;
      if (this.state) this.actions.point(this.state, null);
      this.dirty = true;
    });
  }

  // Takes a state.
  receive(message) {
    const state = message.state;
    const first = this.state === null;
    this.state = state;
    const terms = Object.keys(state.terms);
    if (first) {
      const series = [{ name: 'reward', label: 'total' }];
      this.lines[1].setSeries(terms.length > 1 ? series.concat(terms.map((name) => ({ name: `term ${name}`, label: name }))) : series);
      this.lines[2].title.textContent = state.value_kind === 'Q' ? 'Q estimate' : 'Value estimate';
      this.lines[2].unit.textContent = state.value_kind === 'Q' ? 'min Q(s, a)' : 'V(s)';
      this.fit();
    }
    // before an episode's first step there is a return, 0, and nothing else
    const begun = (value) => (state.length > 0 ? value : null);
    const values = { return: state.return, reward: begun(state.reward), value: begun(state.value), force: begun(state.contact_force) };
    for (const name of terms) values[`term ${name}`] = begun(state.terms[name]);
    this.lines[0].unit.textContent = state.last_return === null ? 'this episode' : `this episode, last ${short(state.last_return)}`;
    this.history.push(state, values);
    this.finishSaving(message.video);
    this.dirty = true;
  }

  // A picture is on the screen.
  drawn(part) {
    if (this.times.length === 0) say('');
    const now = performance.now();
    this.sequence = part.sequence;
    this.times.push(now);
    while (this.times.length > 1 && this.times[0] < now - 1000) this.times.shift();
    if (this.pending && --this.pending.pictures === 0) {
      this.latency = now - this.pending.time;
      this.pending = null;
    }
    this.dirty = true;
  }

  // A command was sent. While paused the next picture shows it; else one may have been on its way.
  asked(time) {
    if (!this.pending || time - this.pending.time > 2000) {
      this.pending = { time, pictures: this.state && this.state.paused ? 1 : 2 };
    }
  }

  get rate() {
    const { times } = this;
    const span = times.length > 1 ? performance.now() - times[0] : 0;
    return span > 0 && performance.now() - times[times.length - 1] < 1000 ? (1000 * (times.length - 1)) / span : 0;
  }

  save() {
    this.saving = { note: this.state.note, since: performance.now() };
    send(this, 'save');
  }

  finishSaving(video) {
    const { saving, state: { note } } = this;
    // a note from before says nothing about this video: the state without it may still be on its way
    if (saving && (note !== saving.note || performance.now() - saving.since > 2000)) saving.note = '';
    if (saving && note && note !== saving.note) this.saving = null;
    if (this.saving && video > this.video) {
      this.saving = null;
      element('saved-mp4').href = new URL(`video/${this.number}.mp4`, base);
      element('saved-html').href = new URL(`video/${this.number}.html`, base);
      if (!document.querySelector('dialog[open]')) element('saved').showModal();
    }
    this.video = video;
  }

  show() {
    const { state, part } = this;
    const text = (name, value) => {
      if (part[name].textContent !== value) part[name].textContent = value;
    };
    text('task', state.task);
    text('policy', `${state.algorithm.toUpperCase()} after ${state.step.toLocaleString('en')} steps · ${state.path.split('/').filter(Boolean).pop() || ''}`);
    part.task.parentElement.title = state.path;
    const ended = state.ended ? ` · ${state.ended}` : '';
    text('episode', `episode ${state.episode} · ${state.time.toFixed(2)} s · step ${state.length}${ended}`);
    text('body', state.selected ? `${state.selected}${state.pushing ? ', pushed' : ''}` : '');
    const rate = state.paused ? '' : `${this.rate.toFixed(0)} fps · `;
    const latency = this.latency === null ? '' : ` · ${this.latency.toFixed(0)} ms latency`;
    text('rate', `${rate}${state.width} × ${state.height}${latency}`);
    part.badge.hidden = !state.paused;
    part.note.hidden = !state.note;
    text('note', state.note);
    this.canvas.setAttribute('aria-label', `${state.task}: return ${short(state.return)} at ${state.time.toFixed(1)} seconds`);
    this.root.classList.toggle('chosen', panels.length > 1 && this.number === chosen);
    for (const line of this.lines) line.draw(this.history, this.hover);
    this.actions.draw(state);
    this.dirty = false;
  }
}

// ---------------------------------------------------------------- controls

const lead = () => (panels[chosen] && panels[chosen].state) || null;

function nearby(step) {
  const speed = lead().speed;
  const wanted = step > 0 ? SPEEDS.find((s) => s > speed * 1.01) : [...SPEEDS].reverse().find((s) => s < speed * 0.99);
  if (wanted) sendAll('speed', { value: wanted });
}

function turnCamera(step) {
  const { camera, cameras } = lead();
  const count = cameras.length + 1;
  sendAll('camera', { number: ((camera + 1 + step + count) % count) - 1 });
}

const actions = {
  pause: () => sendAll('pause', { on: !lead().paused }),
  step: () => lead().paused && sendAll('step'),
  reset: () => sendAll('reset'),
  faster: () => nearby(1),
  slower: () => nearby(-1),
  cameraBefore: () => turnCamera(-1),
  cameraAfter: () => turnCamera(1),
  cameraFree: () => sendAll('camera', { number: -1 }),
  follow: () => sendAll('follow', { on: !lead().follow }),
  quality: () => sendAll('quality', { on: !lead().fine }),
  previous: () => sendAll('checkpoint', { number: -1 }),
  next: () => sendAll('checkpoint', { number: 1 }),
  save: () => panels[chosen].save(),
  help: () => element('manual').showModal(),
  link: () => {
    linked = !linked;
  },
};
const guarded = Object.fromEntries(Object.entries(actions).map(([name, act]) => [name, () => (lead() || name === 'help') && act()]));

function pressed(id, on) {
  element(id).setAttribute('aria-pressed', String(on));
}

// Brings the controls into line with the chosen panel's state.
function showControls() {
  const state = lead();
  if (!state) return;
  pressed('pause', state.paused);
  element('pause').setAttribute('aria-label', state.paused ? 'Play' : 'Pause');
  element('pause').querySelector('use').setAttribute('href', state.paused ? '#i-play' : '#i-pause');
  element('step').disabled = !state.paused;
  element('speed').textContent = `${Number(state.speed.toPrecision(2))}×`;
  pressed('follow', state.follow);
  pressed('quality', state.fine);
  pressed('link', linked);
  element('link').hidden = panels.length < 2;
  element('checkpoints').hidden = state.checkpoints < 2;
  element('checkpoint').textContent = state.checkpoint ? `${state.checkpoint} of ${state.checkpoints}` : '–';
  element('previous').disabled = state.checkpoint === 1;
  element('next').disabled = state.checkpoint === state.checkpoints;
  const saving = panels[chosen].saving;
  element('save').disabled = saving;
  element('save').classList.toggle('saving', saving);
  element('save').querySelector('span').textContent = saving ? 'Making it…' : 'Save video';
  showCameras(state);
  for (const button of element('flags').children) {
    const { command, number } = button.dataset;
    const on = { flag: state.flags, render_flag: state.render_flags, group: state.groups }[command];
    button.setAttribute('aria-pressed', String(on.includes(Number(number))));
  }
}

function showCameras(state) {
  const select = element('camera');
  const names = ['Free camera', ...state.cameras.map((name, k) => name || `Camera ${k}`)];
  if (select.dataset.names !== names.join('\n')) {
    select.dataset.names = names.join('\n');
    select.replaceChildren(...names.map((name, k) => new Option(name, k - 1)));
  }
  if (document.activeElement !== select) select.value = String(state.camera);
}

function prepareControls() {
  for (const id of ['pause', 'step', 'reset', 'slower', 'faster', 'follow', 'quality', 'previous', 'next', 'save', 'link', 'help']) {
    element(id).addEventListener('click', (event) => {
      guarded[id]();
      showControls();
      // keys act on the picture again after a click; whoever tabs stays where they are
      if (event.detail > 0 && id !== 'help' && panels[chosen]) panels[chosen].canvas.focus({ preventScroll: true });
    });
  }
  element('camera').addEventListener('change', (event) => sendAll('camera', { number: Number(event.target.value) }));
  const modes = [...element('modes').children];
  const setMode = (button) => {
    mode = button.dataset.mode;
    for (const one of modes) {
      one.setAttribute('aria-checked', String(one === button));
      one.tabIndex = one === button ? 0 : -1;
    }
  };
  modes.forEach((button, k) => {
    button.tabIndex = k === 0 ? 0 : -1;
    button.addEventListener('click', () => setMode(button));
    button.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const other = modes[(k + step + modes.length) % modes.length];
      setMode(other);
      other.focus();
    });
  });
  for (const [key, command, number, name] of FLAGS) {
    const button = document.createElement('button');
    const label = document.createElement('kbd');
    label.textContent = key;
    button.append(label, name);
    Object.assign(button.dataset, { command, number });
    button.addEventListener('click', () => sendAll(command, { number }));
    element('flags').append(button);
  }
  followKeys(guarded, (command, number) => sendAll(command, { number }));
}

// ---------------------------------------------------------------- the connection

function say(text) {
  element('banner').hidden = !text;
  element('banner').textContent = text || '';
}

function addPanels(count) {
  element('waiting').hidden = true;
  while (panels.length < count) panels.push(new Panel(panels.length));
  const grid = element('panels');
  grid.classList.toggle('several', count > 1);
  grid.style.setProperty('--columns', Math.min(count, count > 4 ? 3 : 2));
  panels.forEach((panel) => panel.watch());
}

// Whether the view is still there under its token.
async function ended() {
  try {
    return !(await fetch(base, { cache: 'no-store' })).ok;
  } catch (error) {
    return false;
  }
}

async function reconnect() {
  panels.forEach((panel) => panel.watch());
  if (await ended()) {
    say('This view has ended. Start rlview again and open the address it prints.');
    return;
  }
  const wait = Math.min(5, 0.5 * 2 ** tries++);
  say(`Connection lost. Trying again ${wait < 1 ? 'now' : `in ${wait} s`}…`);
  setTimeout(connect, 1000 * wait);
}

function connect() {
  const url = new URL('ws', base);
  url.protocol = 'ws:';
  socket = new WebSocket(url);
  socket.onopen = () => {
    tries = 0;
    say('');
    panels.forEach((panel) => panel.watch());
  };
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.refused) {
      console.warn(message.refused);
      return;
    }
    if (panels.length < message.panels) addPanels(message.panels);
    panels[message.panel].receive(message);
  };
  socket.onclose = reconnect;
}

// ---------------------------------------------------------------- the page's own pace

let drawnAt = 0;
function tick(now) {
  requestAnimationFrame(tick);
  // charts move with every picture, or four times a second for those who asked for less motion
  if (now - drawnAt < (CALM.matches ? 250 : 30)) return;
  if (!panels.some((panel) => panel.dirty && panel.state)) return;
  drawnAt = now;
  for (const panel of panels) if (panel.dirty && panel.state) panel.show();
  showControls();
}

// Larger pictures where drawing them is quick, smaller ones where it is slow.
function adapt() {
  if (!panels.length || panels.some((panel) => !panel.state || panel.rate === 0)) return;
  const took = panels.reduce((sum, panel) => sum + panel.state.frame_ms, 0);
  const before = pixels;
  const ratio = window.devicePixelRatio || 1;
  const whole = Math.max(...panels.map(({ canvas }) => canvas.clientWidth * canvas.clientHeight)) * ratio * ratio;
  if (took < PIXELS.quick && pixels < whole) pixels = Math.min(PIXELS.most, whole, pixels * 1.5);
  if (took > PIXELS.slow) pixels = Math.max(PIXELS.least, pixels / 1.5);
  if (pixels !== before) panels.forEach((panel) => panel.fit());
}

prepareControls();
connect();
document.addEventListener('visibilitychange', () => panels.forEach((panel) => panel.watch()));
setInterval(adapt, 2500);
requestAnimationFrame(tick);

// for the console, and for the tests
window.rltrain = { panels, send };
