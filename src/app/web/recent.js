// What failed, was refused or took long lately.

import { byId, element, setAttribute, setChip, setHidden, setText } from './dom.js';
import { clock, duration } from './format.js';
import { Rows, nameTableParts, sayCount, setCells, tableRow } from './rows.js';

const COLUMNS = [
  ['When', 'heading short'],
  ['What', ''],
  ['Why', ''],
  ['Key', 'named'],
  ['Model', ''],
  ['Node', ''],
  ['Waited', 'number'],
  ['Took', 'number'],
  ['Request', 'id'],
];
const MOST = 100;
const AT_FIRST = 8; // until more are asked for
const KINDS = { failed: 'bad', refused: 'warn', slow: '' };

function reasonOf(row) {
  if (row.reason) return row.reason.replaceAll('_', ' ');
  return row.kind === 'slow' ? '' : row.end;
}

function make() {
  const { node, cells } = tableRow(COLUMNS);
  const chip = element('span', { class: 'chip' });
  cells[1].append(chip);
  return {
    node,
    update: (row) => {
      setChip(chip, `${row.kind} ${row.status}`, KINDS[row.kind]);
      setCells(cells, [
        clock(row.at_ms),
        null,
        reasonOf(row) || '–',
        row.key ?? '–',
        row.model ?? row.route ?? '–',
        row.backend ?? '–',
        duration(row.waited_ms),
        duration(row.took_ms),
        row.id,
      ]);
    },
  };
}

export class Recent {
  constructor() {
    this.known = [];
    this.showsAll = false;
    this.button = byId('recent-all');
    this.button.addEventListener('click', () => {
      this.showsAll = !this.showsAll;
      this.show();
    });
    nameTableParts(byId('recent'));
    this.rows = new Rows(byId('recent').tBodies[0], (row) => row.number, make);
  }

  clear() {
    this.known = [];
    this.show();
  }

  show() {
    const all = [...this.known].reverse();
    this.rows.show(this.showsAll ? all : all.slice(0, AT_FIRST));
    sayCount('recent', all.length, 0, '');
    setHidden(this.button, all.length <= AT_FIRST);
    setText(this.button, this.showsAll ? 'Show the latest only' : `Show all ${all.length}`);
    setAttribute(this.button, 'aria-expanded', this.showsAll);
  }

  add(rows) {
    const seen = new Set(this.known.map((row) => row.number));
    this.known.push(...rows.filter((row) => !seen.has(row.number)));
    if (this.known.length > MOST) this.known.splice(0, this.known.length - MOST);
    this.show();
  }
}
