/**
 * The single keys of settled records: CRC, time and place of each seq. While an epoch lives they lie in runs of
 * consecutive seqs, one a batch (`q`). Of a settled epoch they are put together: a small one's into its row, so that a
 * start that made little costs one row; a large one's into longer runs. By age they go, and their ranges stay in the
 * row as thinned.
 */
import { countSeqs, subtract, unite } from '../../shared/wire/ranges.ts';
import { type Agents, readLedger } from './agents.ts';
import type { Neighbours } from './coverage.ts';
import type { Database, Operation, Reader } from './database.ts';
import type { ContentOf } from './decide.ts';
import { epochBytes, keyOf, startingWith } from './keys.ts';
import { type EpochLedger, isSettled, rangesOf, settledOf } from './ledger.ts';
import { encodeLedger } from './ledger-row.ts';
import type { EpochId, RecordContent } from './store.ts';
import { decodeRun, decodeRuns, encodeRun, encodeRuns, type RecordPlace, type Run } from './values.ts';

/** Where the data of a committed record go. */
export function placeOf(content: RecordContent): RecordPlace {
  switch (content.kind) {
    case 'summary':
      return 'window';
    case 'rollup':
      return 'rollup';
    case 'events':
      return (content as ContentOf<'events'>).events.length > 0 ? 'event' : 'none';
    case 'evidence':
      return 'evidence';
    case 'coMoments':
      return 'coMoments';
    case 'unknown':
      return 'unknown';
    case 'gap':
      return 'gap';
    default:
      return 'none';
  }
}

function runKey(agent: number, epoch: EpochId, seq: number): Buffer {
  return keyOf('run', agent, epochBytes(epoch), { u48: seq });
}

/** Seq from which on the run under this key counts. */
export function runStart(key: Buffer): number {
  return key.readUIntBE(key.length - 6, 6);
}

/** CRCs of these seqs as far as they are known one by one. */
export async function storedCrcs(
  reader: Reader,
  agent: number,
  ledger: EpochLedger,
  seqs: readonly number[],
  planned: ReadonlyMap<number, number> | undefined,
): Promise<Map<number, number>> {
  const out = new Map<number, number>();
  const folded = seqs.length === 0 || ledger.folded === null ? [] : decodeRuns(ledger.folded);
  let run: Run | null = null;
  for (const seq of [...seqs].sort((a, b) => a - b)) {
    const now = planned?.get(seq) ?? crcIn(folded, seq);
    if (now !== undefined) {
      out.set(seq, now);
      continue;
    }
    if (run === null || seq >= run.fromSeq + run.crcs.length) run = await runWith(reader, agent, ledger.epoch, seq);
    const crc: number | undefined = run?.crcs[seq - run.fromSeq];
    if (crc !== undefined) out.set(seq, crc);
  }
  return out;
}

function crcIn(runs: readonly Run[], seq: number): number | undefined {
  const run = runs.find(({ fromSeq, crcs }) => seq >= fromSeq && seq < fromSeq + crcs.length);
  return run?.crcs[seq - run.fromSeq];
}

/** The run that would hold this seq. */
async function runWith(reader: Reader, agent: number, epoch: EpochId, seq: number): Promise<Run | null> {
  const { gte } = startingWith('run', agent, epochBytes(epoch));
  const range = { gte, lt: runKey(agent, epoch, seq + 1) };
  for await (const [key, value] of reader.entries(range, { reverse: true, limit: 1 })) {
    return decodeRun(runStart(key), value);
  }
  return null;
}

/** A key of a record that is settled now. */
export interface SettledKey {
  readonly seq: number;
  readonly crc: number;
  readonly timeMs: number;
  readonly place: RecordPlace;
}

/** Consecutive keys as runs, in order, each of at most `most`. */
export function runsOf(keys: readonly SettledKey[], most = Number.POSITIVE_INFINITY): Run[] {
  const bySeq = new Map(keys.map((key) => [key.seq, key]));
  const out: Run[] = [];
  for (const [first, to] of rangesOf(bySeq.keys())) {
    for (let from = first; from <= to; from += most) {
      const some: SettledKey[] = [];
      for (let seq = from; seq <= to && seq < from + most; seq++) some.push(bySeq.get(seq)!);
      out.push({
        fromSeq: from,
        crcs: some.map(({ crc }) => crc >>> 0),
        timesMs: some.map(({ timeMs }) => timeMs),
        places: some.map(({ place }) => place),
      });
    }
  }
  return out;
}

/** Operations that put these keys beside those that are there. */
export function putRuns(agent: number, epoch: EpochId, runs: readonly Run[]): Operation[] {
  return runs.map((run) => ({ type: 'put', key: runKey(agent, epoch, run.fromSeq), value: encodeRun(run) }));
}

/** Keys of a run, those of format 1 left out: these are known by ranges. */
export function keysOf(run: Run): SettledKey[] {
  return run.places.map((place, i) => ({
    seq: run.fromSeq + i,
    crc: run.crcs[i]!,
    timeMs: run.timesMs[i]!,
    place,
  }));
}

/** Operations that give these seqs of an epoch their times; what is known by ranges alone has none. */
export async function retimeRuns(
  reader: Reader,
  agent: number,
  epoch: EpochId,
  times: ReadonlyMap<number, number>,
): Promise<Operation[]> {
  const retimed = (run: Run): Run | null => {
    if (!run.timesMs.some((_, i) => times.has(run.fromSeq + i))) return null;
    return { ...run, timesMs: run.timesMs.map((ms, i) => times.get(run.fromSeq + i) ?? ms) };
  };
  const operations: Operation[] = [];
  const seqs = [...times.keys()];
  const first = seqs.reduce((a, b) => Math.min(a, b));
  const last = seqs.reduce((a, b) => Math.max(a, b));
  const before = await runWith(reader, agent, epoch, first);
  const range = { gte: runKey(agent, epoch, before?.fromSeq ?? first), lt: runKey(agent, epoch, last + 1) };
  for await (const [key, value] of reader.entries(range)) {
    const run = retimed(decodeRun(runStart(key), value));
    if (run !== null) operations.push({ type: 'put', key: Buffer.from(key), value: encodeRun(run) });
  }
  const ledger = await readLedger(reader, agent, epoch);
  if (ledger !== null && ledger.folded !== null) {
    const folded = encodeRuns(decodeRuns(ledger.folded).map((run) => retimed(run) ?? run));
    const key = keyOf('epoch', agent, epochBytes(epoch));
    operations.push({ type: 'put', key, value: encodeLedger({ ...ledger, folded }) });
  }
  return operations;
}

/** Times of the nearest settled seqs, by their keys. */
export function neighboursFrom(reader: Reader, agent: number, ledgers: readonly EpochLedger[]): Neighbours {
  const byEpoch = new Map(ledgers.map((ledger) => [ledger.epoch, ledger]));
  const near = async (epoch: EpochId, seq: number, before: boolean): Promise<number | null> => {
    const all = startingWith('run', agent, epochBytes(epoch));
    const range = before
      ? { gte: all.gte, lt: runKey(agent, epoch, seq) }
      : { gte: runKey(agent, epoch, seq + 1), lt: all.lt };
    const runs: Run[] = [];
    for await (const [key, value] of reader.entries(range, { reverse: before, limit: 1 })) {
      runs.push(decodeRun(runStart(key), value));
    }
    const folded = byEpoch.get(epoch)?.folded ?? null;
    if (folded !== null) runs.push(...decodeRuns(folded));
    let best: { seq: number; timeMs: number } | null = null;
    for (const run of runs) {
      const last = run.fromSeq + run.timesMs.length - 1;
      const at = before ? Math.min(last, seq - 1) : Math.max(run.fromSeq, seq + 1);
      if (at < run.fromSeq || at > last || (best !== null && before === at < best.seq)) continue;
      best = { seq: at, timeMs: run.timesMs[at - run.fromSeq]! };
    }
    return best?.timeMs ?? null;
  };
  return { before: (epoch, seq) => near(epoch, seq, true), after: (epoch, seq) => near(epoch, seq, false) };
}

/** Epochs whose keys are thinned in one turn of the writer, and one write. */
const THINNED_AT_ONCE = 64;

/**
 * Takes the keys away of records from before: from then on only their ranges are known. A few epochs in each turn of the
 * writer, so that nobody waits for thousands of them; an epoch's change is one write.
 */
export async function thinKeys(
  database: Database,
  { agents, exclusive }: { readonly agents: Agents; readonly exclusive: (run: () => Promise<void>) => Promise<void> },
  agent: number,
  beforeMs: number,
  signal: AbortSignal,
): Promise<void> {
  const epochs: string[] = [];
  for await (const key of database.keys(startingWith('epoch', agent))) epochs.push(key.subarray(5).toString('hex'));
  for (let from = 0; from < epochs.length && !signal.aborted; from += THINNED_AT_ONCE) {
    await exclusive(() => thinEpochs(database, agents, agent, epochs.slice(from, from + THINNED_AT_ONCE), beforeMs));
  }
}

async function thinEpochs(
  database: Database,
  agents: Agents,
  agent: number,
  epochs: readonly EpochId[],
  beforeMs: number,
): Promise<void> {
  const operations: Operation[] = [];
  for (const epoch of epochs) {
    const ledger = await readLedger(database, agent, epoch);
    if (ledger === null) continue;
    // Nothing is left to thin, as of most of an old crash loop; or all that is left lies in the row.
    const left = countSeqs(subtract(settledOf(ledger), ledger.thinned));
    if (left === 0 && isSettled(ledger)) continue;
    const before = operations.length;
    const folded = ledger.folded === null ? [] : decodeRuns(ledger.folded);
    const hasRows = folded.reduce((sum, { crcs }) => sum + crcs.length, 0) !== left;
    const gone: SettledKey[] = [];
    const isOld = (run: Run): boolean => Math.max(...run.timesMs) < beforeMs;
    const rows = startingWith('run', agent, epochBytes(epoch));
    for await (const [key, value] of hasRows ? database.entries(rows) : []) {
      const run = decodeRun(runStart(key), value);
      if (!isOld(run)) continue;
      gone.push(...keysOf(run));
      operations.push({ type: 'del', key: Buffer.from(key) });
    }
    const old = folded.length > 0 && folded.every(isOld);
    if (old) gone.push(...folded.flatMap(keysOf));
    if (operations.length === before && !old) continue;
    const thinned = unite(ledger.thinned, rangesOf(gone.map(({ seq }) => seq)));
    const after = { ...ledger, thinned, folded: old ? null : ledger.folded };
    operations.push({ type: 'put', key: keyOf('epoch', agent, epochBytes(epoch)), value: encodeLedger(after) });
  }
  if (operations.length === 0) return;
  await database.write(operations, true);
  for (const epoch of epochs) agents.forgetLedger(agent, epoch);
}
