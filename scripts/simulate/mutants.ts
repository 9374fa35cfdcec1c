/**
 * Bugs that are planted into the real code, to see that the simulation finds them: some were made in earnest here or in
 * other systems. What is to be found must stand in its file exactly once; `npm test` looks whether it still does.
 */
import type { Change } from './plant.ts';

export interface Mutant {
  readonly name: string;
  readonly changes: readonly Change[];
}

const publish = 'agent/publish.ts';
const failover = 'agent/outbox/failover.ts';
const keeper = 'agent/outbox/keeper.ts';
const decide = 'central/store/decide.ts';

function mutant(name: string, file: string, find: string, replace: string): Mutant {
  return { name, changes: [{ file, find, replace }] };
}

export const mutants: readonly Mutant[] = [
  mutant(
    'acknowledges before the commit',
    'central/ingest.ts',
    'const result = await store.commit({',
    `void sendAck(agent, encodeAck({ incarnation, epoch: envelope.epoch, n: envelope.n,
      sentMonotonicMs: envelope.sentMonotonicMs, centralMs: this.#options.nowMs(), contiguous: envelope.highestSeq,
      settled: [], full: false, need: [], renewEpoch: false }));
    const result = await store.commit({`,
  ),
  mutant(
    'takes all below the lowest held for acknowledged',
    'central/ingest.ts',
    'settledFields(toTell(result.settled, seqs',
    'settledFields(toTell(unite(result.settled, [[1, Math.max(1, (envelope.held[0]?.[0] ?? 1) - 1)]]), seqs',
  ),
  mutant('forgets the sync', keeper, 'await shelf.write(edit.ops);', 'void shelf.write(edit.ops).catch(() => {});'),
  {
    name: 'trims one too many',
    changes: [
      {
        file: 'agent/outbox/reclaim.ts',
        find: 'const ranges = intersect(entry.held, settledOf(entry));',
        replace: 'const ranges = intersect(entry.held, settledOf(entry).map(([from, to]) => [from, to + 1] as const));',
      },
      { file: keeper, find: 'this.delete(victims.filter(isSettled), [])', replace: 'this.delete(victims, [])' },
    ],
  },
  mutant('thins without a gap', 'agent/outbox/queue.ts', 'lossesOf(book, victims, this.#options.lossCause)', '[]'),
  mutant(
    'writes the gap in a batch of its own',
    keeper,
    'await this.write({ deleted: victims, losses });',
    'await this.write({ deleted: victims }); await this.write({ losses });',
  ),
  mutant(
    'names with a gap that replaces another not that one',
    'agent/outbox/plan.ts',
    'ranges = unite(unite(ranges, open.loss.ranges), own);',
    'ranges = unite(ranges, open.loss.ranges);',
  ),
  mutant(
    'sets aside without a gap',
    keeper,
    'await this.delete(victims, losses);',
    "await this.delete(victims, cause === 'refused' ? [] : losses);",
  ),
  mutant(
    'writes again what had landed when the error came',
    keeper,
    'if (attempt !== null && book.commit >= attempt.commit) {',
    'if (attempt !== null && book.commit < 0) {',
  ),
  mutant(
    'gives a seq again after a write that failed',
    keeper,
    'await shelf.write(edit.ops);',
    `await shelf.write(edit.ops).catch((error: unknown) => {
      landed();
      throw error;
    });`,
  ),
  mutant(
    'goes on with the last epoch after a start',
    keeper,
    'this.#takeOver(book);\n    this.#opened = true;',
    `this.#takeOver(book);
    if (!this.#opened && book.newest !== undefined) this.#epoch = book.newest.epoch;
    this.#opened = true;`,
  ),
  mutant(
    'keeps the belief in a central that it could not read when it forgot it',
    keeper,
    'this.#forgotten = this.#shelf === null;',
    'this.#forgotten = false;',
  ),
  mutant(
    'lets volatile records become durable behind the cursor',
    failover,
    'memory.flush().then(options.onWorking)',
    'options.onWorking?.()',
  ),
  mutant('does not mark a volatile epoch', failover, 'volatile: true });', 'volatile: false });'),
  mutant(
    'writes volatile records to the disk as well',
    failover,
    'memory.take(item, false);\n      return true;',
    'memory.take(item, false);\n      return false;',
  ),
  mutant(
    'replaces the belief for one epoch alone when the central is another',
    publish,
    'await outbox.forgetSettled();\n',
    '\n',
  ),
  mutant('adopts the answer of a central that is no more', publish, 'if (!newest) {', 'if (ack.n < 0) {'),
  mutant(
    "takes the broker's word for the central's",
    publish,
    'send(payload).then(\n        () => null,',
    `send(payload).then(
        () => {
          void this.#options.outbox.ack(epoch, batch.map(({ seq }) => [seq, seq] as const));
          return null;
        },`,
  ),
  mutant('does not hear which tables are needed', publish, 'for (const hash of ack.need) this.#wanted.add(hash);', ''),
  mutant(
    'forgets to begin anew after a disconnect',
    publish,
    'this.#tableSentMs.clear();\n    this.#rewind();',
    'this.#tableSentMs.clear();',
  ),
  mutant(
    'sends a record that is damaged on its disk',
    'agent/outbox/peek.ts',
    'if (readFrame(entry.epoch, stored.frame).seq !== place.seq) return null;',
    '',
  ),
  mutant(
    'stores a frame with a wrong checksum',
    'shared/wire/frame.ts',
    'if (crc !== found) corrupt(',
    'if (crc < 0) corrupt(',
  ),
  mutant(
    'stores duplicates again',
    decide,
    'const before = fresh.get(seq) ?? (contains(settledBefore, seq) ? (known.crcs.get(seq) ?? crc) : undefined);',
    'const before = fresh.get(seq);',
  ),
  mutant('does not see that a key has two payloads', decide, 'if (before === crc) {', 'if (before >= 0) {'),
  mutant(
    'settles a summary without its table',
    decide,
    'needTables.add(content.table);\n        continue;',
    'needTables.add(content.table);\n        committed.push(seq);\n        continue;',
  ),
  mutant(
    'does not enter a gap in the ledger',
    decide,
    "if (content.kind === 'gap') desk.put(",
    "if (content.kind === 'gap') void (",
  ),
];
