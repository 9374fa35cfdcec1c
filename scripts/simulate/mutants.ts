/** Bugs that are planted into the real code, to see that the simulation finds them: each has a name and its changes. */
import type { Change } from './plant.ts';

export interface Mutant {
  readonly name: string;
  readonly changes: readonly Change[];
}

function mutant(name: string, file: string, find: string, replace: string): Mutant {
  return { name, changes: [{ file, find, replace }] };
}

export const mutants: readonly Mutant[] = [
  mutant(
    'acknowledges before the commit',
    'central/ingest.ts',
    'const result = await store.commit({',
    `void this.#options.sendAck(agent, encodeAck({ incarnation, epoch: envelope.epoch, n: envelope.n,
      sentMonotonicMs: envelope.sentMonotonicMs, centralMs: this.#options.nowMs(), contiguous: envelope.highestSeq,
      settled: [], full: false, need: [], renewEpoch: false }));
    const result = await store.commit({`,
  ),
];
