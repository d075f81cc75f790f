// Keys and mouse, as in MuJoCo's simulate, made into commands. Place: between the page's events and
// view.js, which sends what comes out.

// [key, command, number, name]: the keys of simulate. "shift" ones gave way to keys of this page.
export const FLAGS = [
  ['H', 'flag', 0, 'Convex Hull'],
  ['X', 'flag', 1, 'Texture'],
  ['J', 'flag', 2, 'Joint'],
  ['shift+Q', 'flag', 3, 'Camera'],
  ['U', 'flag', 4, 'Actuator'],
  ['Z', 'flag', 6, 'Light'],
  ['V', 'flag', 7, 'Tendon'],
  ['Y', 'flag', 8, 'Range Finder'],
  ['E', 'flag', 9, 'Equality'],
  ['I', 'flag', 10, 'Inertia'],
  ['B', 'flag', 12, 'Perturb Force'],
  ['O', 'flag', 13, 'Perturb Object'],
  ['C', 'flag', 14, 'Contact Point'],
  ['shift+N', 'flag', 15, 'Island'],
  ['shift+F', 'flag', 16, 'Contact Force'],
  ['shift+P', 'flag', 17, 'Contact Split'],
  ['T', 'flag', 18, 'Transparent'],
  ['A', 'flag', 19, 'Auto Connect'],
  ['M', 'flag', 20, 'Center of Mass'],
  ['D', 'flag', 22, 'Static Body'],
  ['S', 'render_flag', 0, 'Shadow'],
  ['W', 'render_flag', 1, 'Wireframe'],
  ['R', 'render_flag', 2, 'Reflection'],
  ['L', 'render_flag', 3, 'Additive'],
  ['K', 'render_flag', 4, 'Skybox'],
  ['G', 'render_flag', 5, 'Fog'],
  ['0', 'group', 0, 'Group 0'],
  ['1', 'group', 1, 'Group 1'],
  ['2', 'group', 2, 'Group 2'],
  ['3', 'group', 3, 'Group 3'],
  ['4', 'group', 4, 'Group 4'],
  ['5', 'group', 5, 'Group 5'],
];

const ZOOM_STEP = 0.05; // of a notch of the wheel, as simulate has it
const PINCH_STEP = 0.01;

// Share of the picture under a pointer, (0, 0) top left; the picture may be narrower than its canvas.
function place(canvas, event) {
  const frame = canvas.getBoundingClientRect();
  const scale = Math.min(frame.width / canvas.width, frame.height / canvas.height);
  const width = canvas.width * scale;
  const height = canvas.height * scale;
  const x = (event.clientX - frame.left - (frame.width - width) / 2) / width;
  const y = (event.clientY - frame.top - (frame.height - height) / 2) / height;
  const within = x >= 0 && x <= 1 && y >= 0 && y <= 1;
  return { x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y)), height, within };
}

// Follows the pointers over a picture. view: {mode(), send(panel, command, fields), choose(panel)};
// camera commands go through view.move, which may move other panels along.
export function followPointers(panel, view) {
  const canvas = panel.canvas;
  const pointers = new Map();
  let action = null;

  const begin = (event) => {
    if (event.pointerType === 'mouse' && event.button === 1) return 'zoom';
    if (event.button === 2) return event.ctrlKey ? 'pull' : 'pan';
    if (event.ctrlKey) return 'twist';
    if (event.altKey) return 'pull';
    return event.shiftKey ? 'pan' : view.mode();
  };
  const end = () => {
    if (action === 'pull' || action === 'twist') view.send(panel, 'push_end');
    canvas.classList.remove('push');
    action = null;
  };
  const push = (event) => {
    // with nothing selected, the body under the pointer is meant
    const at = place(canvas, event);
    if (!panel.state.selected && at.within) view.send(panel, 'select', { x: at.x, y: at.y });
    view.send(panel, 'push_begin', { turn: action === 'twist' });
    canvas.classList.add('push');
  };

  canvas.addEventListener('pointerdown', (event) => {
    if (!panel.state) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    view.choose(panel);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pointers.size > 1) {
      end();
      action = 'fingers';
      return;
    }
    action = begin(event);
    if (action === 'pull' || action === 'twist') push(event);
  });

  canvas.addEventListener('pointermove', (event) => {
    const last = pointers.get(event.pointerId);
    if (!last || !action) return;
    const height = place(canvas, event).height;
    const x = (event.clientX - last.x) / height;
    const y = (event.clientY - last.y) / height;
    if (action === 'fingers') fingers(event, last, x, y, height);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (x === 0 && y === 0) return;
    if (action === 'orbit') view.move(panel, 'orbit', { x, y });
    else if (action === 'pan') view.move(panel, 'pan', { x, y });
    else if (action === 'zoom') view.move(panel, 'zoom', { x: -y });
    else if (action === 'pull' || action === 'twist') view.send(panel, 'push_move', { x, y });
  });

  // Two fingers: half of each one's way moves the camera, what they part brings it nearer.
  const fingers = (event, last, x, y, height) => {
    const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    if (!other) return;
    const apart = (at) => Math.hypot(at.x - other.x, at.y - other.y);
    view.move(panel, 'pan', { x: x / 2, y: y / 2 });
    view.move(panel, 'zoom', { x: (apart({ x: event.clientX, y: event.clientY }) - apart(last)) / height / 2 });
  };

  const release = (event) => {
    if (!pointers.delete(event.pointerId) || pointers.size > 0) return;
    end();
  };
  canvas.addEventListener('pointerup', release);
  canvas.addEventListener('pointercancel', release);
  canvas.addEventListener('lostpointercapture', release);
  canvas.addEventListener('contextmenu', (event) => event.preventDefault());
  canvas.addEventListener('dblclick', (event) => {
    const at = place(canvas, event);
    if (at.within) view.send(panel, 'select', { x: at.x, y: at.y });
  });
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const notches = event.deltaMode === 0 ? event.deltaY / 100 : event.deltaY / 3;
      const x = event.ctrlKey ? -event.deltaY * PINCH_STEP : -notches * ZOOM_STEP;
      view.move(panel, 'zoom', { x: Math.max(-1, Math.min(1, x)) });
    },
    { passive: false },
  );
}

// Calls actions[name]() for the page's own keys and flag(command, number) for those of simulate.
export function followKeys(actions, flag) {
  const own = {
    ' ': 'pause',
    ArrowRight: 'step',
    '+': 'faster',
    '=': 'faster',
    '-': 'slower',
    Backspace: 'reset',
    '[': 'cameraBefore',
    ']': 'cameraAfter',
    Escape: 'cameraFree',
    f: 'follow',
    q: 'quality',
    n: 'next',
    p: 'previous',
    '?': 'help',
  };
  const flags = new Map(FLAGS.map(([key, command, number]) => [key.replace('shift+', '').toLowerCase() + (key.startsWith('shift') ? '+' : ''), [command, number]]));
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const tag = event.target.tagName;
    if (tag === 'SELECT' || tag === 'INPUT' || (tag === 'BUTTON' && (event.key === ' ' || event.key === 'Enter'))) return;
    const shifted = event.shiftKey && flags.get(`${event.key.toLowerCase()}+`);
    const plain = own[event.key] || own[event.key.toLowerCase()];
    if (shifted) {
      flag(...shifted);
    } else if (plain) {
      actions[plain]();
    } else if (flags.has(event.key.toLowerCase())) {
      flag(...flags.get(event.key.toLowerCase()));
    } else {
      return;
    }
    event.preventDefault();
  });
}
