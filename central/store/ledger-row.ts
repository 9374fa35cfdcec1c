/**
 * An epoch's ledger as the database has it, a row of about 60 bytes for a settled epoch (ledger.ts says what it means):
 *
 *   version u8 2, flags u8 (1 volatile, 2 parent, 4 boot, 8 child, 16 folded, 32 heard)
 *   parent, boot, child: 16 bytes each where flagged
 *   start, made, final seq, duplicates, conflicts, undated, first, last, stopped: varints (times in ms)
 *   committed, quarantined, unheld, thinned: ranges      lost: varint count, then cause (length u8, bytes) and ranges
 *   heard: varint, ms      folded: the rest
 *   ranges   varint count, then from (less the end before), length varints
 *
 * Format 1 of the store had JSON there, and no single keys that could be counted again: what it had settled,
 * and what its gaps had named, is taken as thinned.
 */
import { ByteReader, ByteWriter, fromHex, toHex } from '../../shared/wire/bytes.ts';
import { type SeqRange, type SeqRanges, unite } from '../../shared/wire/ranges.ts';
import { type EpochLedger, emptyLedger, settledOf } from './ledger.ts';
import type { EpochId } from './store.ts';

const VERSION = 2;
const BRACE = 0x7b;
const flags = { volatile: 1, parent: 2, boot: 4, child: 8, folded: 16, heard: 32 } as const;
const ID_BYTES = 16;

export function encodeLedger(ledger: EpochLedger): Uint8Array {
  const { parent, boot, child, folded } = ledger;
  const writer = new ByteWriter(160 + (folded?.length ?? 0));
  writer.byte(VERSION);
  writer.byte(
    (ledger.volatile ? flags.volatile : 0) |
      (parent === null ? 0 : flags.parent) |
      (boot === null ? 0 : flags.boot) |
      (child === null ? 0 : flags.child) |
      (folded === null ? 0 : flags.folded) |
      (ledger.heardMs === 0 ? 0 : flags.heard),
  );
  for (const id of [parent, boot, child]) if (id !== null) writer.raw(fromHex(id, ID_BYTES));
  writer.varint(ledger.start);
  writer.varint(ledger.made);
  writer.varint(ledger.finalSeq);
  writer.varint(ledger.duplicates);
  writer.varint(ledger.conflicts);
  writer.varint(ledger.undated);
  for (const ms of [ledger.firstMs, ledger.lastMs, ledger.stoppedMs]) writer.varint(Math.round(ms));
  for (const ranges of [ledger.committed, ledger.quarantined, ledger.unheld, ledger.thinned]) {
    writeRanges(writer, ranges);
  }
  const lost = Object.entries(ledger.lost);
  writer.varint(lost.length);
  for (const [cause, ranges] of lost) {
    const name = new TextEncoder().encode(cause);
    writer.byte(name.length);
    writer.raw(name);
    writeRanges(writer, ranges);
  }
  if (ledger.heardMs !== 0) writer.varint(Math.round(ledger.heardMs));
  if (folded !== null) writer.raw(folded);
  return writer.finish();
}

export function decodeLedger(epoch: EpochId, bytes: Uint8Array): EpochLedger {
  if (bytes[0] === BRACE) {
    const json = JSON.parse(Buffer.from(bytes).toString()) as EpochLedger;
    const ledger = { ...emptyLedger(epoch), ...json };
    return { ...ledger, thinned: Object.values(ledger.lost).reduce(unite, settledOf(ledger)) };
  }
  const reader = new ByteReader(bytes, 'stored ledger');
  const version = reader.byte();
  if (version !== VERSION) reader.fail(`layout ${version} is unknown`);
  const has = reader.byte();
  const id = (flag: number): string | null => ((has & flag) === 0 ? null : toHex(reader.raw(ID_BYTES)));
  const parent = id(flags.parent);
  const boot = id(flags.boot);
  const child = id(flags.child);
  const start = reader.varint();
  const made = reader.varint();
  const finalSeq = reader.varint();
  const duplicates = reader.varint();
  const conflicts = reader.varint();
  const undated = reader.varint();
  const firstMs = reader.varint();
  const lastMs = reader.varint();
  const stoppedMs = reader.varint();
  const committed = readRanges(reader);
  const quarantined = readRanges(reader);
  const unheld = readRanges(reader);
  const thinned = readRanges(reader);
  const lost: Record<string, SeqRanges> = {};
  for (let left = reader.varint(bytes.length); left > 0; left--) {
    const cause = new TextDecoder().decode(reader.raw(reader.byte()));
    lost[cause] = readRanges(reader);
  }
  const heardMs = (has & flags.heard) === 0 ? 0 : reader.varint();
  return {
    epoch,
    parent,
    start,
    volatile: (has & flags.volatile) !== 0,
    made,
    committed,
    quarantined,
    lost,
    unheld,
    duplicates,
    conflicts,
    undated,
    firstMs,
    lastMs,
    heardMs,
    boot,
    finalSeq,
    stoppedMs,
    child,
    thinned,
    folded: (has & flags.folded) === 0 ? null : reader.raw(reader.left).slice(),
  };
}

function writeRanges(writer: ByteWriter, ranges: SeqRanges): void {
  writer.varint(ranges.length);
  let end = 0;
  for (const [from, to] of ranges) {
    writer.varint(from - end);
    writer.varint(to - from);
    end = to;
  }
}

function readRanges(reader: ByteReader): SeqRanges {
  const out: SeqRange[] = [];
  let end = 0;
  for (let left = reader.varint(); left > 0; left--) {
    const from = end + reader.varint();
    end = from + reader.varint();
    out.push([from, end]);
  }
  return out;
}

/** Ranges alone, as a value. */
export function encodeRanges(ranges: SeqRanges): Uint8Array {
  const writer = new ByteWriter(ranges.length * 8 + 8);
  writeRanges(writer, ranges);
  return writer.finish();
}

export function decodeRanges(bytes: Uint8Array): SeqRanges {
  return readRanges(new ByteReader(bytes, 'stored ranges'));
}
