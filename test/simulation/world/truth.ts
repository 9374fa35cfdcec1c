/**
 * What really happened, seen from outside: which records became durable on which disk, what gaps name, what the central
 * committed, and what damage took away. It is held against the design while a run goes on; what it saw that must never
 * be is a problem.
 */
import { decodeEpochRow, decodeStored, parseRecordKey } from '../../../agent/outbox/layout.ts';
import type { Op } from '../../../agent/outbox/shelf.ts';
import { decodeGap } from '../../../shared/wire/bodies.ts';
import { readFrame } from '../../../shared/wire/frame.ts';
import { contains, highest, noRanges, type SeqRanges, unite, upTo } from '../../../shared/wire/ranges.ts';
import { decodeRecord } from '../../../shared/wire/record.ts';
import { bytesOf, type Image, textOf } from './image.ts';

/** Problems that are kept of one run: the first ones tell. */
const PROBLEMS = 20;
const RECORD_KEYS = 'd';
const EPOCH_ROWS = 's';

export interface EpochTruth {
  readonly agent: string;
  readonly epoch: string;
  /** The machine that made it in its memory alone; null for a disk's. */
  readonly volatile: string | null;
  highestSeq: number;
  /** What became durable under each seq; two are a twin's. */
  readonly payloads: Map<number, string[]>;
  /** By the cause that durable gaps say. */
  readonly named: Map<string, SeqRanges>;
  /** What damage took away, so that no gap needs to name it. */
  excused: SeqRanges;
  /** What any central ever committed, also one that was restored or emptied since. */
  committed: SeqRanges;
}

export class Truth {
  readonly problems: string[] = [];
  readonly epochs = new Map<string, EpochTruth>();
  /** What the central has now under each key. */
  stored = new Map<string, string>();
  /** Two machines with one identity and one source of randomness: a key may have two payloads. */
  readonly twins: boolean;
  /** Key of each record that an agent made, by its bytes. */
  readonly #keys = new Map<string, string>();
  records = 0;

  constructor(twins: boolean) {
    this.twins = twins;
  }

  problem(what: string): void {
    if (this.problems.length < PROBLEMS && !this.problems.includes(what)) this.problems.push(what);
  }

  of(agent: string, epoch: string, volatile: string | null = null): EpochTruth {
    let known = this.epochs.get(epoch);
    if (known === undefined) {
      known = {
        agent,
        epoch,
        volatile,
        highestSeq: 0,
        payloads: new Map(),
        named: new Map(),
        excused: noRanges,
        committed: noRanges,
      };
      this.epochs.set(epoch, known);
    }
    if (known.agent !== agent) this.problem(`epoch ${epoch} is of ${known.agent} and of ${agent}`);
    return known;
  }

  /** A batch is durable from now on; `before` is what lay on the disk. */
  landed(agent: string, before: Image, ops: readonly Op[]): void {
    const namedNow = new Map<string, SeqRanges>();
    for (const op of ops) {
      if (op.type !== 'put') continue;
      if (op.key[0] === EPOCH_ROWS.charCodeAt(0)) this.#row(agent, op.value);
      if (op.key[0] !== RECORD_KEYS.charCodeAt(0)) continue;
      const place = parseRecordKey(op.key);
      const stored = decodeStored(op.value);
      if (place === null || stored === null) this.problem('a record without place or frame became durable');
      else this.#put(this.of(agent, stored.epoch), place.seq, stored.frame, namedNow);
    }
    for (const op of ops) {
      if (op.type === 'del' && op.key[0] === RECORD_KEYS.charCodeAt(0)) this.#deleted(before, op.key, namedNow);
    }
  }

  #row(agent: string, value: Uint8Array): void {
    const row = decodeEpochRow(value);
    if (row === null) {
      this.problem('a row that does not decode became durable');
      return;
    }
    const epoch = this.of(agent, row.epoch);
    epoch.highestSeq = Math.max(epoch.highestSeq, row.highestSeq);
  }

  #put(epoch: EpochTruth, seq: number, frame: Uint8Array, namedNow: Map<string, SeqRanges>): void {
    const { record, seq: stated } = readFrame(epoch.epoch, frame);
    if (stated !== seq) this.problem(`${nameOf(epoch, seq)} lies in the place of ${stated}`);
    this.made(epoch, seq, record, namedNow);
  }

  /** A record has this key from now on. */
  made(epoch: EpochTruth, seq: number, record: Uint8Array, namedNow = new Map<string, SeqRanges>()): void {
    const text = textOf(record);
    const known = epoch.payloads.get(seq) ?? [];
    if (known.includes(text)) return;
    if (known.length > 0 && !this.twins) this.problem(`${nameOf(epoch, seq)} has two payloads`);
    epoch.payloads.set(seq, [...known, text]);
    epoch.highestSeq = Math.max(epoch.highestSeq, seq);
    this.records++;
    const { kind, body } = decodeRecord(record);
    if (kind === 'gap') {
      const gap = decodeGap(body);
      namedNow.set(gap.epoch, unite(namedNow.get(gap.epoch) ?? noRanges, gap.ranges));
      const of = this.of(epoch.agent, gap.epoch);
      of.highestSeq = Math.max(of.highestSeq, highest(gap.ranges));
      const { named } = of;
      named.set(gap.cause, unite(named.get(gap.cause) ?? noRanges, gap.ranges));
      return;
    }
    // Who takes a record that names a table wants a copy of its own.
    if (kind === 'epoch' || kind === 'table') return;
    const before = this.#keys.get(text);
    const key = `${epoch.epoch}/${seq}`;
    if (before === undefined) this.#keys.set(text, key);
    else if (before !== key) this.problem(`one record has two keys, ${before} and ${key}`);
  }

  /** What leaves a disk is committed, or named by a gap of the same batch. */
  #deleted(before: Image, key: Uint8Array, namedNow: ReadonlyMap<string, SeqRanges>): void {
    const place = parseRecordKey(key);
    const value = before.get(textOf(key));
    const stored = value === undefined ? null : decodeStored(value);
    const epoch = stored === null ? undefined : this.epochs.get(stored.epoch);
    // What damage made unreadable is told apart at the end: its seq is named or not.
    if (place === null || epoch === undefined) return;
    const { seq } = place;
    if (contains(epoch.committed, seq) || contains(epoch.excused, seq)) return;
    if (contains(namedNow.get(epoch.epoch) ?? noRanges, seq)) return;
    this.problem(`${nameOf(epoch, seq)} was deleted, is not committed, and no gap of the same batch names it`);
  }

  /** An append was answered: its record is durable now. */
  appended(agent: string, epochId: string, seq: number, record: Uint8Array, volatile: boolean, by: string): void {
    const epoch = this.of(agent, epochId, volatile ? by : null);
    if (volatile) {
      this.made(epoch, seq, record);
      return;
    }
    if (epoch.payloads.get(seq)?.includes(textOf(record)) || isNamed(epoch, seq)) return;
    if (contains(epoch.excused, seq)) return;
    this.problem(`${nameOf(epoch, seq)} was said to be durable and is not`);
  }

  /** A frame leaves the machine. */
  sent(agent: string, epochId: string, frame: Uint8Array, volatile: boolean, by: string): void {
    const epoch = this.of(agent, epochId, volatile ? by : null);
    const { seq, record } = this.#read(epochId, frame);
    if (epoch.volatile !== null) this.made(epoch, seq, record);
    else if (!epoch.payloads.get(seq)?.includes(textOf(record)))
      this.problem(`${nameOf(epoch, seq)} is sent, not durable`);
  }

  #read(epoch: string, frame: Uint8Array): { readonly seq: number; readonly record: Uint8Array } {
    try {
      return readFrame(epoch, frame);
    } catch (error) {
      this.problem(`a damaged frame of ${epoch.slice(0, 8)} is sent: ${(error as Error).message}`);
      throw error;
    }
  }

  /** What was in one image and is not in the other is lost without a trace. */
  lost(before: Image, after: Image): void {
    for (const key of before.keysWith(RECORD_KEYS)) {
      if (after.get(key) !== undefined) continue;
      this.excuse(key, before.get(key)!);
    }
    for (const key of before.keysWith(EPOCH_ROWS)) {
      const row = decodeEpochRow(before.get(key)!);
      const epoch = row === null ? undefined : this.epochs.get(row.epoch);
      // Nobody knows any more how far it had come.
      if (row !== null && epoch !== undefined) epoch.excused = unite(epoch.excused, upTo(row.highestSeq));
      // Nor, where the row had been damaged before, of any epoch that this may have been.
      if (row === null) this.#excuseEpochsOf(before);
    }
  }

  #excuseEpochsOf(image: Image): void {
    for (const key of image.keysWith(RECORD_KEYS)) {
      const epoch = this.epochs.get(decodeStored(image.get(key)!)?.epoch ?? '');
      if (epoch !== undefined) epoch.excused = unite(epoch.excused, upTo(epoch.highestSeq));
    }
  }

  /** The record with this key is lost, and with a gap what it named. */
  excuse(key: string, value: Uint8Array, alone = false): void {
    const place = parseRecordKey(bytesOf(key));
    const stored = decodeStored(value);
    const epoch = stored === null ? undefined : this.epochs.get(stored.epoch);
    if (place === null || epoch === undefined) return;
    if (!alone) epoch.excused = unite(epoch.excused, [[place.seq, place.seq]]);
    for (const payload of epoch.payloads.get(place.seq) ?? []) {
      const { kind, body } = decodeRecord(bytesOf(payload));
      if (kind !== 'gap') continue;
      const gap = decodeGap(body);
      const of = this.of(epoch.agent, gap.epoch);
      of.excused = unite(of.excused, gap.ranges);
    }
  }

  /** The process is gone, and with it what it held in memory alone. */
  volatileLost(machine: string): void {
    for (const epoch of this.epochs.values()) {
      if (epoch.volatile !== machine) continue;
      epoch.excused = upTo(Number.MAX_SAFE_INTEGER);
      for (const payloads of epoch.payloads.values()) {
        for (const payload of payloads) {
          const { kind, body } = decodeRecord(bytesOf(payload));
          if (kind !== 'gap') continue;
          const gap = decodeGap(body);
          const of = this.of(epoch.agent, gap.epoch);
          of.excused = unite(of.excused, gap.ranges);
        }
      }
    }
  }
}

export function nameOf({ agent, epoch }: EpochTruth, seq: number): string {
  return `${agent} ${epoch.slice(0, 8)}/${seq}`;
}

export function isNamed(epoch: EpochTruth, seq: number): boolean {
  for (const ranges of epoch.named.values()) if (contains(ranges, seq)) return true;
  return false;
}
