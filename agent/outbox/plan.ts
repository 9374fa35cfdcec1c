/**
 * Makes one atomic batch: records with their seqs, deletions with the GAP that names them, and, where an epoch begins,
 * its EPOCH record. Pure but for the randomness and the time that are passed in.
 */
import { encodeEpochStart, encodeGap } from '../../shared/wire/bodies.ts';
import { frameRecord } from '../../shared/wire/frame.ts';
import { contains, countSeqs, noRanges, type SeqRanges, unite } from '../../shared/wire/ranges.ts';
import { encodeRecord, type WallTrust } from '../../shared/wire/record.ts';
import { type Book, type Edit, type EpochEntry, rangesOfSeqs, type Victim } from './book.ts';
import type { RecordClass, RecordKey } from './outbox.ts';

/** Ranges in one GAP: well below what a message may hold, so that it and a merged one fit into a record. */
const RANGES_PER_GAP = 1000;

/** An append that waits for its commit. */
export interface Waiting {
  readonly record: Uint8Array;
  readonly recordClass: RecordClass;
  readonly table: string | null;
  readonly fromWallMs: number;
  readonly toWallMs: number;
  readonly resolve: (key: RecordKey) => void;
  readonly reject: (error: Error) => void;
}

/** Why records are lost; see Gap.cause in edge.proto. */
export type Cause = 'overflow' | 'corrupt' | 'disk_full' | 'purged' | 'refused' | 'volatile' | 'expired';

/** What is lost of one epoch for one cause. */
export interface Loss {
  readonly epoch: string;
  readonly start: number;
  readonly cause: Cause;
  readonly ranges: SeqRanges;
  /** 0, 0: unknown. */
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

/** Now, for the records that the outbox makes itself. */
export interface Moment {
  readonly bootId: string;
  readonly monotonicMs: number;
  readonly wallMs: number;
  readonly wallTrusted: WallTrust;
}

export interface NewEpoch {
  readonly epoch: string;
  readonly start: number;
  readonly volatile: boolean;
  readonly parent: string | null;
  readonly parentFinalSeq: number;
}

/** The last GAP about an epoch and a cause, as long as it can be merged with the next. */
interface OpenGap {
  readonly loss: Loss;
  readonly victim: Victim;
}

export interface Planned {
  readonly edit: Edit;
  /** Seq of each item, in their order. */
  readonly seqs: readonly number[];
  /** To be called once the batch is durable. */
  apply(): void;
}

export interface PlanInput {
  readonly items: readonly Waiting[];
  /** Items for which there is no room: they get their seq and are named by a GAP at once. */
  readonly dropped: ReadonlySet<Waiting>;
  readonly dropCause: Cause;
  readonly deleted: readonly Victim[];
  readonly losses: readonly Loss[];
  /** Epoch that begins with this batch, if it has records. */
  readonly newEpoch: NewEpoch | null;
  /** Epochs whose belief changed. */
  readonly touched: Iterable<EpochEntry>;
  /** Other changes of the same batch. */
  readonly adjust?: (edit: Edit) => void;
}

export class Planner {
  readonly #openGaps = new Map<string, OpenGap>();

  plan(book: Book, input: PlanInput, moment: Moment): Planned {
    const edit = book.edit();
    for (const victim of input.deleted) {
      const entry = book.byStart(victim.place.start);
      if (entry !== undefined) edit.remove(entry, victim);
    }
    for (const entry of input.touched) edit.touch(entry);
    input.adjust?.(edit);
    const seqs: number[] = [];
    const openGaps: [string, OpenGap][] = [];
    if (input.items.length > 0 || input.losses.length > 0) {
      const entry = this.#epochOf(book, edit, input.newEpoch, moment);
      const losses = [...input.losses];
      const droppedSeqs: number[] = [];
      let from = Number.POSITIVE_INFINITY;
      let to = 0;
      for (const item of input.items) {
        const seq = edit.nextSeq(entry);
        seqs.push(seq);
        if (!input.dropped.has(item)) {
          add(edit, entry, seq, item);
          continue;
        }
        droppedSeqs.push(seq);
        from = Math.min(from, item.fromWallMs);
        to = Math.max(to, item.toWallMs);
      }
      if (droppedSeqs.length > 0) {
        const { epoch, start } = entry;
        const cause = input.dropCause;
        losses.push({ epoch, start, cause, ranges: rangesOfSeqs(droppedSeqs), fromWallMs: from, toWallMs: to });
      }
      for (const loss of joined(losses)) openGaps.push(...this.#addGaps(book, edit, entry, loss, moment));
    }
    if (!edit.empty) edit.finish();
    return {
      edit,
      seqs,
      apply: () => {
        edit.apply();
        for (const [key, gap] of openGaps) this.#openGaps.set(key, gap);
        for (const key of this.#openGaps.keys()) {
          const start = this.#openGaps.get(key)!.victim.place.start;
          if (start !== book.newest?.start) this.#openGaps.delete(key);
        }
      },
    };
  }

  #epochOf(book: Book, edit: Edit, fresh: NewEpoch | null, moment: Moment): EpochEntry {
    if (fresh === null) return book.newest!;
    const entry = edit.begin(fresh.epoch, fresh.start, fresh.volatile);
    const { parent, parentFinalSeq, start, volatile } = fresh;
    const body = encodeEpochStart({ parent, parentFinalSeq, start, volatile });
    add(edit, entry, edit.nextSeq(entry), control('epoch', body, moment, moment.wallMs, moment.wallMs));
    return entry;
  }

  /** Writes the GAPs of one loss, merging the last of the same epoch and cause into it. */
  #addGaps(book: Book, edit: Edit, entry: EpochEntry, loss: Loss, moment: Moment): [string, OpenGap][] {
    const out: [string, OpenGap][] = [];
    edit.count(0, countSeqs(loss.ranges));
    const key = `${loss.start}/${loss.cause}`;
    let ranges = loss.ranges;
    let { fromWallMs, toWallMs } = loss;
    const open = this.#openGaps.get(key);
    if (open !== undefined && mergeable(book, open, loss)) {
      const own: SeqRanges = [[open.victim.place.seq, open.victim.place.seq]];
      ranges = unite(unite(ranges, open.loss.ranges), own);
      fromWallMs = spanFrom(fromWallMs, open.loss.fromWallMs);
      toWallMs = Math.max(toWallMs, open.loss.toWallMs);
      edit.remove(book.byStart(open.victim.place.start)!, open.victim);
      edit.count(-1, 1);
    }
    for (let i = 0; i < ranges.length; i += RANGES_PER_GAP) {
      const part: Loss = { ...loss, ranges: ranges.slice(i, i + RANGES_PER_GAP), fromWallMs, toWallMs };
      const { epoch, cause } = part;
      const body = encodeGap({ epoch, cause, ranges: part.ranges, fromWallMs, toWallMs });
      const seq = edit.nextSeq(entry);
      const sizeBytes = add(edit, entry, seq, control('gap', body, moment, fromWallMs, toWallMs));
      edit.count(1, 0);
      const place = { start: entry.start, seq, recordClass: 'control' } as const;
      out.push([key, { loss: part, victim: { place, sizeBytes, table: null, fromWallMs, toWallMs } }]);
    }
    return out;
  }
}

/** Only within one epoch: a merged GAP then names the seq of the one that it replaces too. */
function mergeable(book: Book, open: OpenGap, loss: Loss): boolean {
  const { place } = open.victim;
  const entry = book.byStart(place.start);
  if (entry === undefined || place.start !== loss.start) return false;
  if (!contains(entry.held, place.seq) || contains(entry.settled, place.seq)) return false;
  return unite(open.loss.ranges, loss.ranges).length < RANGES_PER_GAP;
}

/** One loss for each epoch and cause. */
function joined(losses: readonly Loss[]): Loss[] {
  const out = new Map<string, Loss>();
  for (const loss of losses) {
    const key = `${loss.epoch}/${loss.cause}`;
    const before = out.get(key);
    out.set(key, {
      ...loss,
      ranges: unite(before?.ranges ?? noRanges, loss.ranges),
      fromWallMs: before === undefined ? loss.fromWallMs : spanFrom(before.fromWallMs, loss.fromWallMs),
      toWallMs: Math.max(before?.toWallMs ?? 0, loss.toWallMs),
    });
  }
  return [...out.values()];
}

/** The earlier of two, where 0 is unknown. */
function spanFrom(a: number, b: number): number {
  if (a === 0 || b === 0) return Math.max(a, b);
  return Math.min(a, b);
}

type Content = Pick<Waiting, 'record' | 'recordClass' | 'table' | 'fromWallMs' | 'toWallMs'>;

function add(edit: Edit, entry: EpochEntry, seq: number, item: Content): number {
  const frame = frameRecord(entry.epoch, seq, item.record);
  const { table, fromWallMs, toWallMs, recordClass } = item;
  return edit.add(
    entry,
    { start: entry.start, seq, recordClass },
    { epoch: entry.epoch, table, fromWallMs, toWallMs, frame },
  );
}

function control(
  kind: 'epoch' | 'gap',
  body: Uint8Array,
  moment: Moment,
  fromWallMs: number,
  toWallMs: number,
): Content {
  const record = encodeRecord({ kind, ...moment, body });
  return { record, recordClass: 'control', table: null, fromWallMs, toWallMs };
}

/** Losses of the named victims, one for each epoch. */
export function lossesOf(book: Book, victims: readonly Victim[], cause: Cause): Loss[] {
  const byStart = new Map<number, Victim[]>();
  for (const victim of victims) {
    const list = byStart.get(victim.place.start);
    if (list === undefined) byStart.set(victim.place.start, [victim]);
    else list.push(victim);
  }
  const out: Loss[] = [];
  for (const [start, list] of byStart) {
    const entry = book.byStart(start);
    if (entry === undefined) continue;
    const ranges = rangesOfSeqs(list.map((victim) => victim.place.seq).sort((a, b) => a - b));
    let fromWallMs = 0;
    let toWallMs = 0;
    for (const victim of list) {
      fromWallMs = spanFrom(fromWallMs, victim.fromWallMs);
      toWallMs = Math.max(toWallMs, victim.toWallMs);
    }
    out.push({ epoch: entry.epoch, start, cause, ranges, fromWallMs, toWallMs });
  }
  return out;
}
