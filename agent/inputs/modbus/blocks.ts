/**
 * Which requests read a table: neighbours in one request, as far as Modbus allows (application protocol 1.1b3, 6.1 to
 * 6.4: 2,000 bits, 125 registers), with gaps up to a bound. Where a device refuses a block, the block is halved until
 * what it refuses stands alone.
 */
import type { Entry, Table } from './settings.ts';

const maxRegisters = 125;
const maxBits = 2000;

export interface Block {
  readonly table: Table;
  readonly address: number;
  /** Registers or bits. */
  readonly count: number;
  /** By address. */
  readonly entries: readonly Entry[];
}

export function isBits(table: Table): boolean {
  return table === 'coil' || table === 'discrete';
}

/** The fewest blocks that read these entries. @param gap addresses between two that may be read along */
export function blocksOf(entries: readonly Entry[], gap: number): readonly Block[] {
  const sorted = [...entries].sort(
    (a, b) => a.table.localeCompare(b.table) || a.address - b.address || a.length - b.length,
  );
  const blocks: Block[] = [];
  let group: Entry[] = [];
  let end = 0;
  for (const entry of sorted) {
    const first = group[0];
    const limit = isBits(entry.table) ? maxBits : maxRegisters;
    const fits =
      first !== undefined &&
      first.table === entry.table &&
      entry.address - end <= gap &&
      Math.max(end, entry.address + entry.length) - first.address <= limit;
    if (!fits) {
      if (group.length > 0) blocks.push(blockOf(group));
      group = [];
      end = 0;
    }
    group.push(entry);
    end = Math.max(end, entry.address + entry.length);
  }
  if (group.length > 0) blocks.push(blockOf(group));
  return blocks;
}

/** Two halves of a block that a device refused, parted at its widest gap: that is what it most likely refuses. */
export function split(block: Block): readonly [Block, Block] {
  const { entries } = block;
  let at = entries.length >> 1;
  let widest = 0;
  let end = 0;
  for (const [i, entry] of entries.entries()) {
    if (i > 0 && entry.address - end > widest) {
      widest = entry.address - end;
      at = i;
    }
    end = Math.max(end, entry.address + entry.length);
  }
  return [blockOf(entries.slice(0, at)), blockOf(entries.slice(at))];
}

function blockOf(entries: readonly Entry[]): Block {
  const { table, address } = entries[0]!;
  const end = Math.max(...entries.map((entry) => entry.address + entry.length));
  return { table, address, count: end - address, entries };
}

/** `holding registers 100–109`, for people. */
export function describe({ table, address, count }: Pick<Block, 'table' | 'address' | 'count'>): string {
  const what = { holding: 'holding register', input: 'input register', coil: 'coil', discrete: 'discrete input' }[
    table
  ];
  return count === 1 ? `${what} ${address}` : `${what}s ${address} to ${address + count - 1}`;
}
