// The dashboard: what comes in goes to the views; what is clicked goes to the gateway.

import { Charts, History } from './charts.js';
import { Connection, call, saveKey, savedKey } from './connection.js';
import { byId, setHidden, setText } from './dom.js';
import { count, duration, percent, rate } from './format.js';
import { Keys } from './keys.js';
import { Nodes } from './nodes.js';
import { Queue, describe } from './queue.js';
import { Recent } from './recent.js';

// A screen reader is told the sentence of the top when it has changed, and not oftener.
const SAY_EVERY_MS = 20000;

const history = new History();
const charts = new Charts();
const queue = new Queue(askToCancel);
const nodes = new Nodes(actOnNode);
const keys = new Keys();
const recent = new Recent();

let state = null; // the last snapshot
let stale = false; // it was not shown, since nobody looks
let saidMs = 0;
let saidSentence = '';

// --- what is said aloud ---

function say(text) {
  byId('said').textContent = text;
  saidMs = performance.now();
}

function saySentence(sentence) {
  if (sentence === saidSentence || performance.now() - saidMs < SAY_EVERY_MS) return;
  saidSentence = sentence;
  say(sentence);
}

function showTrouble(text) {
  const box = byId('trouble');
  setHidden(box, text === '');
  setText(box, text);
}

// --- views ---

function showFigures() {
  const { queue: q, backends } = state;
  const usable = backends.filter((b) => b.state !== 'down');
  const slots = usable.reduce((sum, b) => sum + b.slots, 0);
  const busy = usable.reduce((sum, b) => sum + b.busy, 0);
  setText(byId('figure-waiting'), count(q.waiting));
  setText(byId('figure-waiting-of'), `of ${count(q.size)}`);
  setText(byId('figure-slots'), count(busy));
  setText(byId('figure-slots-of'), `of ${count(slots)}`);
  setText(byId('version'), state.version);
}

function showHour() {
  const tokens = history.last('tokens', 1);
  const sum = (name) => history.get(name).reduce((a, b) => a + b, 0);
  setText(byId('figure-tokens'), tokens === null ? '–' : rate((1000 * tokens) / history.stepMs));
  setText(byId('figure-p50'), duration(history.last('first_p50_ms')));
  setText(byId('figure-p95'), duration(history.last('first_p95_ms')));
  setText(byId('figure-hits'), percent(sum('cache_hits'), sum('cache_asked')));
  charts.show(history);
}

function showState() {
  const [sentence, detail] = describe(state);
  stale = false;
  setHidden(byId('board'), false);
  setHidden(byId('sign-in'), true);
  setText(byId('sentence'), state.draining ? `The gateway shuts down. ${sentence}` : sentence);
  setText(byId('detail'), detail);
  setText(byId('uptime'), `up ${duration(Math.max(0, Date.now() - state.began_at_ms))}`);
  showFigures();
  queue.show(state);
  nodes.show(state);
  keys.show(state);
  saySentence(sentence);
  document.title = state.queue.waiting > 0 ? `(${state.queue.waiting}) drover` : 'drover';
}

function onEvent(name, data) {
  if (name === 'state') {
    // Another program: what was noted of the last one is not its own.
    if (state && state.began_at_ms !== data.began_at_ms) {
      history.clear();
      recent.clear();
    }
    state = data;
    stale = true;
  } else if (name === 'history') {
    history.add(data);
    if (!document.hidden) showHour();
  } else if (name === 'recent') {
    recent.add(data.rows);
  }
  if (stale && !document.hidden) showState();
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden || !state) return;
  showState();
  showHour();
});

// --- the connection ---

function showLink(kind, text) {
  byId('link').dataset.state = kind;
  setText(byId('link-text'), text);
  document.body.dataset.link = kind;
}

function showSignIn(wrong) {
  setHidden(byId('board'), true);
  setHidden(byId('sign-in'), false);
  setHidden(byId('sign-out'), true);
  setHidden(byId('links'), true);
  setText(byId('key-wrong'), wrong);
  showLink('connecting', 'signed out');
  showTrouble('');
  byId('key').value = '';
  byId('key').focus();
}

const connection = new Connection({
  event: onEvent,
  live: () => {
    showLink('live', 'live');
    showTrouble('');
    setHidden(byId('sign-out'), savedKey() === null);
    setHidden(byId('links'), savedKey() !== null); // a link cannot bring a key
  },
  lost: (why) => {
    const since = state ? ' What you see is from before.' : '';
    showLink('lost', 'connecting again');
    showTrouble(`No connection: ${why}.${since} Trying again…`);
  },
  refused: (refusal) => {
    const tried = savedKey() !== null;
    saveKey(null);
    if (refusal.status === 401) {
      showSignIn(tried ? 'This is no key of an administrator. Check it, and try again.' : '');
    } else {
      showLink('lost', 'refused');
      showTrouble(`The gateway refuses this page: ${refusal.message}.`);
    }
  },
});

byId('sign-in-form').addEventListener('submit', (event) => {
  event.preventDefault();
  saveKey(byId('key').value.trim());
  setText(byId('key-wrong'), '');
  connection.start();
});

byId('sign-out').addEventListener('click', () => {
  connection.stop();
  saveKey(null);
  state = null;
  history.clear();
  recent.clear();
  showSignIn('');
});

// --- what can be done ---

async function act(method, path, done) {
  try {
    await call(method, path);
    showTrouble('');
    say(done);
  } catch (error) {
    showTrouble(`That did not work: ${error.message}`);
  }
}

function askToCancel(row) {
  const dialog = byId('ask');
  const what = `${row.id}, of ${row.key ?? 'somebody'} for ${row.model ?? row.route ?? 'nothing yet'}`;
  setText(byId('ask-what'), what);
  // Not at `close`, which comes later: that of the question before could take the answer to this one.
  byId('ask-form').onsubmit = (event) => {
    if (event.submitter?.value !== 'yes') return;
    act('DELETE', `/admin/v1/requests/${encodeURIComponent(row.id)}`, `Cancelled ${row.id}.`);
  };
  dialog.showModal();
}

function actOnNode(name, verb) {
  const done = verb === 'drain' ? `${name} drains.` : `${name} is back in use.`;
  act('POST', `/admin/v1/backends/${encodeURIComponent(name)}/${verb}`, done);
}

connection.start();
