/** The records that machines make: windows with their tables, documents, events, and some that nobody can take. */
import type { RecordClass } from '../../../agent/outbox/outbox.ts';
import { tableHash } from '../../../shared/trust/hash.ts';
import { encodeEvents, encodeSummary, encodeTable } from '../../../shared/wire/bodies.ts';
import { encodeColumns } from '../../../shared/wire/columns.ts';
import { emptyColumns } from '../../../shared/wire/summary.ts';
import type { Simulated } from '../simulated.ts';
import type { SimMachine } from './machine.ts';

export type Body = 'good' | 'bad' | 'unanswered';

/** Series of one table; a machine changes from one to the next now and then. */
const SETS = 3;
/** The longest of the bodies, so that a few hundred fill a small disk. */
const NOISE_BYTES = 500;

export class Load {
  readonly #world: Simulated;
  /** For each machine: start of the process and set of series of the table that it last appended. */
  readonly #tables = new Map<string, string>();
  #count = 0;

  constructor(world: Simulated) {
    this.#world = world;
  }

  /** Any record. */
  some(machine: SimMachine): void {
    const lot = this.#world.next();
    if (lot < 0.4) this.window(machine, 'detail');
    else if (lot < 0.5) this.window(machine, 'rollup');
    else if (lot < 0.65) this.document(machine, 'incident');
    else if (lot < 0.8) this.events(machine);
    else this.document(machine, 'detail');
  }

  document(machine: SimMachine, recordClass: RecordClass, content: Body = 'good'): Promise<unknown> {
    const noise = this.#world.hex(1 + this.#world.integer(NOISE_BYTES / 2));
    const json = JSON.stringify({ content, number: this.#count++, noise });
    const body = new TextEncoder().encode(content === 'bad' ? json.slice(1) : json);
    return machine.append('top', body, recordClass, { urgent: recordClass === 'incident' });
  }

  events(machine: SimMachine): void {
    const { monotonicMs, wallMs } = machine.clock;
    const to = String(this.#count++);
    const key = { name: 'state', unit: '', attributes: {} };
    const event = {
      key,
      monotonicMs: monotonicMs(),
      wallMs: Math.round(wallMs()),
      from: null,
      to,
      quality: 0,
    } as const;
    void machine.append('event', encodeEvents([event]), 'detail');
  }

  /** A window, after its table where the process has not appended that yet (as agent/wiring/windows.ts). */
  window(machine: SimMachine, recordClass: 'detail' | 'rollup'): void {
    const world = this.#world;
    const set = world.integer(SETS);
    const names = Array.from({ length: set + 1 }, (_, i) => `series ${i}`);
    const table = encodeTable(names.map((name) => ({ name, unit: '1', attributes: {} })));
    const hash = tableHash(table);
    const generation = `${machine.starts}/${set}`;
    if (machine.running !== null && this.#tables.get(machine.name) !== generation) {
      this.#tables.set(machine.name, generation);
      void machine.append('table', table, 'table', { table: hash });
    }
    const columns = emptyColumns(names.length);
    names.forEach((_, i) => {
      columns.count[i] = 1;
      columns.mean[i] = columns.min[i] = columns.max[i] = columns.last[i] = this.#count;
    });
    this.#count++;
    const rollup = recordClass === 'rollup';
    const body = encodeSummary({
      table: hash,
      lengthMs: rollup ? 3_600_000 : 60_000,
      nominalMs: rollup ? 3_600_000 : 60_000,
      endMonotonicMs: Math.round(machine.clock.monotonicMs()),
      endWallMs: Math.round(machine.clock.wallMs()),
      first: 0,
      columns: encodeColumns(columns),
    });
    void machine.append(rollup ? 'rollup' : 'summary', body, recordClass, { table: hash });
  }
}
