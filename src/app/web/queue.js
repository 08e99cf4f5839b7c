// Who waits for what, how long still; and what runs.

import { byId, element, setAttribute, setText } from './dom.js';
import { count, duration, estimate, many, rate } from './format.js';
import { Rows, nameTableParts, sayCount, setCells, tableRow } from './rows.js';

const WAITING = [
  ['Place', 'number'],
  ['Key', 'heading strong-cell'],
  ['Model', ''],
  ['Class', 'short'],
  ['Waits for', 'wide'],
  ['Has waited', 'number'],
  ['Starts in', 'number strong-cell'],
  ['Request', 'id'],
  ['', 'action'],
];

const RUNNING = [
  ['Key', 'heading strong-cell'],
  ['Model', ''],
  ['Node', ''],
  ['Tokens', 'number'],
  ['Tokens/s', 'number'],
  ['First token', 'number'],
  ['Since', 'number'],
  ['Request', 'id'],
  ['', 'action'],
];

// Rates are over so many snapshots: long enough to be calm, short enough to show a stall.
const SAMPLES = 6;

function fullName(model) {
  return model.slice(model.lastIndexOf('/') + 1).includes(':') ? model : `${model}:latest`;
}

function isHeld(state, model) {
  const name = fullName(model);
  return state.backends.some((b) => b.models.some((m) => m.name === name && m.state === 'loaded'));
}

export function waitsFor(row, state) {
  if (row.loading_on) return `its model, which ${row.loading_on} loads`;
  if (!state.backends.some((b) => b.state === 'up')) return 'a node that takes work';
  return row.model && !isHeld(state, row.model) ? 'its model to be loaded' : 'a free slot';
}

function cancelButton(row, cancel) {
  const button = element('button', { type: 'button' }, 'Cancel');
  setAttribute(button, 'aria-label', `Cancel request ${row.id} of ${row.key ?? 'nobody'}`);
  button.addEventListener('click', () => cancel(row));
  return button;
}

// Ids are the clients' own, and two requests may have the same.
function withNames(rows) {
  const seen = new Map();
  return rows.map((row) => {
    const before = seen.get(row.id) ?? 0;
    seen.set(row.id, before + 1);
    return { ...row, name: `${row.id} ${before}` };
  });
}

export class Queue {
  constructor(cancel) {
    this.cancel = cancel;
    for (const name of ['waiting', 'running']) nameTableParts(byId(name));
    const nameOf = (row) => row.name;
    const rowsOf = (name, make) =>
      new Rows(byId(name).tBodies[0], nameOf, make).holdUnderPointer();
    this.waiting = rowsOf('waiting', (row) => this.makeWaiting(row));
    this.running = rowsOf('running', (row) => this.makeRunning(row));
  }

  makeWaiting(first) {
    const { node, cells } = tableRow(WAITING);
    const button = cancelButton(first, this.cancel);
    node.dataset.id = first.id;
    cells[8].append(button);
    return {
      node,
      update: (row) =>
        setCells(cells, [
          String(row.position + 1),
          row.key ?? '–',
          row.model ?? '–',
          row.class,
          waitsFor(row, this.state),
          duration(row.waited_ms),
          estimate(row.eta_ms),
          row.id,
        ]),
    };
  }

  makeRunning(first) {
    const { node, cells } = tableRow(RUNNING);
    const samples = [];
    node.dataset.id = first.id;
    cells[8].append(cancelButton(first, this.cancel));
    return {
      node,
      update: (row) => {
        if (row.tokens !== null) {
          samples.push([row.age_ms, row.tokens]);
          if (samples.length > SAMPLES) samples.shift();
        }
        setCells(cells, [
          row.key ?? '–',
          row.model ?? row.route ?? '–',
          row.backend ?? (row.state === 'running' ? '–' : row.state),
          count(row.tokens),
          rate(rateOf(samples)),
          duration(row.ttft_ms),
          duration(row.age_ms - row.waited_ms),
          row.id,
        ]);
      },
    };
  }

  show(state) {
    this.state = state;
    const waiting = withNames(state.requests.waiting);
    const running = withNames(state.requests.running);
    this.waiting.show(waiting.sort((a, b) => a.position - b.position));
    this.running.show(running);
    sayCount('waiting', waiting.length, state.requests.waiting_left_out, 'wait that are not shown');
    sayCount('running', running.length, state.requests.running_left_out, 'run that are not shown');
  }
}

function rateOf(samples) {
  if (samples.length < 2) return null;
  const [fromMs, from] = samples[0];
  const [toMs, to] = samples[samples.length - 1];
  return toMs > fromMs ? (1000 * Math.max(0, to - from)) / (toMs - fromMs) : null;
}

// The one sentence that answers it all, and one more on who is next.
export function describe(state) {
  const waiting = state.queue.waiting;
  const { running } = state;
  if (!state.backends.some((b) => b.state === 'up')) {
    const all = state.backends.every((b) => b.state === 'draining') ? 'drains' : 'is down or drains';
    return [
      `No node takes work: each ${all}.`,
      waiting > 0 ? `${many(waiting, 'request waits', 'requests wait')} until one comes back.` : '',
    ];
  }
  if (waiting === 0) {
    const what = running === 0 ? 'nothing runs' : many(running, 'request runs', 'requests run');
    return [`Nobody waits; ${what}.`, ''];
  }
  const rows = [...state.requests.waiting].sort((a, b) => a.position - b.position);
  const [next] = rows;
  if (!next) return [`${many(waiting, 'request waits', 'requests wait')}.`, ''];
  const longest = Math.max(...rows.map((row) => row.eta_ms ?? 0));
  const ends = longest >= 1000 ? `, the last of them starts in ${estimate(longest)}` : '';
  return [
    `${many(waiting, 'request waits', 'requests wait')}${ends}.`,
    `Next is ${next.key ?? 'somebody'} with ${next.model ?? 'a request'}: ${
      next.eta_ms < 1000 ? 'any moment' : `in ${estimate(next.eta_ms)}`
    }, for ${waitsFor(next, state)}.`,
  ];
}
