// Who asks, and what they have used of their limits.

import { byId, element, setAttribute, setHidden, setText } from './dom.js';
import { count } from './format.js';
import { Rows, nameTableParts, sayCount, setCells, tableRow } from './rows.js';

const COLUMNS = [
  ['Key', 'heading strong-cell'],
  ['Requests now', 'number'],
  ['At once', ''],
  ['Burst of requests', 'wide'],
  ['Tokens a minute', 'wide'],
];
const NEARLY = 0.8;

function makeMeter(cell, label) {
  const text = element('span', { class: 'used' });
  const bar = element('meter', { min: 0, 'aria-label': label });
  cell.append(text, bar);
  // `most`: so much may be used at once; null: it has no limit.
  return (used, most, words = '') => {
    setHidden(bar, most === null);
    setText(text, most === null ? 'no limit' : `${count(used)} of ${count(most)} used${words}`);
    setAttribute(text, 'class', most === null ? 'used quiet' : 'used');
    if (most === null) return;
    setAttribute(bar, 'max', most);
    setAttribute(bar, 'high', most * NEARLY);
    setAttribute(bar, 'optimum', 0);
    setAttribute(bar, 'value', Math.min(used, most));
  };
}

function make(first) {
  const { node, cells } = tableRow(COLUMNS);
  const name = element('span', {}, first.name);
  const atOnce = makeMeter(cells[2], `${first.name}: requests at once`);
  const requests = makeMeter(cells[3], `${first.name}: requests a minute`);
  const tokens = makeMeter(cells[4], `${first.name}: tokens a minute`);
  cells[0].append(name);
  if (first.admin) cells[0].append(' ', element('span', { class: 'chip' }, 'admin'));
  node.dataset.name = first.name;
  return {
    node,
    update: (row) => {
      const { concurrent, requests_per_minute: r, tokens_per_minute: t } = row.limits;
      setCells(cells, [null, count(row.requests)]);
      atOnce(concurrent?.used, concurrent?.limit ?? null);
      // They may come by bursts, which fill again at the rate of a minute.
      if (r) requests(row.burst - r.remaining, row.burst, `, ${count(r.limit)} a minute`);
      else requests(0, null);
      tokens(t && t.limit - t.remaining, t?.limit ?? null);
    },
  };
}

export class Keys {
  constructor() {
    nameTableParts(byId('keys'));
    this.rows = new Rows(byId('keys').tBodies[0], (row) => `${row.is_key} ${row.name}`, make);
  }

  show(state) {
    this.rows.show(state.keys);
    sayCount('keys', state.keys.length, state.keys_left_out, 'that are not shown');
  }
}
