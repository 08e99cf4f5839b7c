// Things of a list that have a name, each shown by one element that lives as long as the thing:
// rows of a table, cards of nodes.
//
// While somebody moves a pointer over a list with buttons, nothing in it moves: what is gone is
// dimmed where it stands and what is new comes last, so that no click hits what has just come
// under it. The focus stays with its row, wherever that goes.

import { element, setText } from './dom.js';

const HELD_MS = 4000; // since the pointer moved

export class Rows {
  // `make(item)` gives {node, update(item)}.
  constructor(body, nameOf, make) {
    this.body = body;
    this.nameOf = nameOf;
    this.make = make;
    this.shown = new Map(); // by name
    this.items = [];
    this.pointedAt = -HELD_MS;
  }

  // For lists with buttons.
  holdUnderPointer() {
    const point = (event) => {
      if (event.pointerType === 'mouse') this.pointedAt = performance.now();
    };
    this.body.addEventListener('pointerenter', point);
    this.body.addEventListener('pointermove', point);
    this.body.addEventListener('pointerleave', () => {
      this.pointedAt = -HELD_MS;
      this.settle();
    });
    return this;
  }

  show(items) {
    this.items = items;
    for (const item of items) {
      const name = this.nameOf(item);
      let row = this.shown.get(name);
      if (!row) {
        row = this.make(item);
        this.shown.set(name, row);
        this.body.append(row.node);
      }
      if (row.isGone) setGone(row, false);
      row.update(item);
    }
    this.settle();
  }

  // Drops what is gone and brings the rest into order, unless it is held.
  settle() {
    const names = new Set(this.items.map(this.nameOf));
    if (performance.now() - this.pointedAt < HELD_MS) {
      for (const [name, row] of this.shown) if (!names.has(name)) setGone(row, true);
      return;
    }
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    const heir = focused && this.findHeir(focused, names);
    for (const [name, row] of this.shown) {
      if (names.has(name)) continue;
      row.node.remove();
      this.shown.delete(name);
    }
    let at = this.body.firstElementChild;
    for (const item of this.items) {
      const { node } = this.shown.get(this.nameOf(item));
      if (node === at) at = at.nextElementSibling;
      else this.body.insertBefore(node, at);
    }
    if (heir && document.activeElement !== heir) heir.focus({ preventScroll: true });
  }

  // Who has the focus after the rows of other names are dropped: who has it now, or a button of
  // the row that follows, or the list's title.
  findHeir(focused, names) {
    const stays = new Set([...names].map((name) => this.shown.get(name)?.node));
    let row = [...this.body.children].find((node) => node.contains(focused));
    if (stays.has(row)) return focused;
    while (row && !stays.has(row)) row = row.nextElementSibling;
    return row?.querySelector('button') ?? this.body.closest('section').querySelector('h2');
  }
}

function setGone(row, isGone) {
  row.isGone = isGone;
  row.node.classList.toggle('gone', isGone);
  for (const button of row.node.querySelectorAll('button')) button.disabled = isGone;
}

// A row of a table. `columns`: [label, class]; the first that is a heading names the row.
export function tableRow(columns) {
  const cells = columns.map(([label, kind], i) => {
    const isHeading = kind.includes('heading');
    const cell = element(isHeading ? 'th' : 'td', {
      'data-label': label,
      class: kind,
      role: isHeading ? 'rowheader' : 'cell',
    });
    if (isHeading) cell.setAttribute('scope', 'row');
    return cell;
  });
  return { node: element('tr', { role: 'row' }, ...cells), cells };
}

export function setCells(cells, texts) {
  texts.forEach((text, i) => {
    if (text !== null) setText(cells[i], text);
  });
}

// A table that is laid out as cards on a phone is no table to a screen reader any more, unless its
// parts say what they are.
export function nameTableParts(table) {
  table.setAttribute('role', 'table');
  for (const group of table.querySelectorAll('thead, tbody')) group.setAttribute('role', 'rowgroup');
  for (const row of table.querySelectorAll('tr')) row.setAttribute('role', 'row');
  for (const cell of table.querySelectorAll('thead th')) cell.setAttribute('role', 'columnheader');
}

// How many, what stands there when there are none, and how many are not shown.
export function sayCount(name, count, leftOut, words) {
  const find = (part) => document.getElementById(`${name}-${part}`);
  setText(find('count'), count + leftOut > 0 ? String(count + leftOut) : '');
  find('empty').hidden = count > 0;
  document.getElementById(name).classList.toggle('bare', count === 0);
  if (!find('more')) return;
  find('more').hidden = leftOut === 0;
  setText(find('more'), leftOut > 0 ? `${leftOut} more ${words}` : '');
}
