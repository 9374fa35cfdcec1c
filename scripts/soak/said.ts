/** What a loaded agent said (test/support/loaded-agent.ts), read as its file grows. */
import { closeSync, openSync, readSync } from 'node:fs';
import { countSeqs, type SeqRange, type SeqRanges, subtract, unite } from '../../shared/wire/ranges.ts';

const READ_BYTES = 256 * 1024;
const KEPT_WARNINGS = 50;

/** A record that was reported durable, or kept in memory. */
export interface SaidRecord {
  readonly crc: number;
  readonly appendedMs: number;
  readonly durableMs: number;
}

export class Said {
  /** By epoch and seq. */
  readonly durable = new Map<string, Map<number, SaidRecord>>();
  readonly volatile = new Map<string, Map<number, SaidRecord>>();
  /** By incarnation and epoch: what the central said that it has. */
  readonly acknowledged = new Map<string, Map<string, SeqRanges>>();
  /** Whose acknowledgement was the last. */
  incarnation: string | null = null;
  /** What was held when an incarnation was adopted, by incarnation and epoch. */
  readonly held = new Map<string, Map<string, SeqRanges>>();
  readonly warnings: string[] = [];
  acknowledgedCount = 0;
  durableCount = 0;
  volatileCount = 0;
  /** The record of the latest line of durability. */
  newest: SaidRecord | null = null;
  readonly #path: string;
  #offset = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes in what was written since the last call. */
  read(): void {
    let file: number;
    try {
      file = openSync(this.#path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    const buffer = Buffer.alloc(READ_BYTES);
    for (;;) {
      const length = readSync(file, buffer, 0, READ_BYTES, this.#offset);
      if (length === 0) break;
      this.#offset += length;
      const lines = (this.#rest + buffer.toString('latin1', 0, length)).split('\n');
      this.#rest = lines.pop()!;
      for (const line of lines) this.#take(line);
    }
    closeSync(file);
  }

  #take(line: string): void {
    const [kind, ...fields] = line.split(' ');
    if (kind === 'a') this.#takeAcknowledged(fields);
    else if (kind === 'h') this.#takeHeld(fields);
    else if (kind === 'w') {
      if (this.warnings.length < KEPT_WARNINGS) this.warnings.push(line.slice(2));
    } else if (kind === 'd' || kind === 'v') {
      const [epoch, seq, crc, appendedMs, durableMs] = fields;
      const record = { crc: Number(crc), appendedMs: Number(appendedMs), durableMs: Number(durableMs) };
      const of = kind === 'd' ? this.durable : this.volatile;
      let records = of.get(epoch!);
      if (records === undefined) {
        records = new Map();
        of.set(epoch!, records);
      }
      records.set(Number(seq), record);
      if (kind === 'd') {
        this.durableCount++;
        this.newest = record;
      } else this.volatileCount++;
    }
  }

  #takeAcknowledged([epoch, incarnation, text]: readonly string[]): void {
    this.incarnation = incarnation!;
    const of = inside(this.acknowledged, incarnation!);
    const before = of.get(epoch!) ?? [];
    const ranges = rangesOf(text!);
    this.acknowledgedCount += countSeqs(subtract(ranges, before));
    of.set(epoch!, unite(before, ranges));
  }

  #takeHeld([epoch, incarnation, text]: readonly string[]): void {
    inside(this.held, incarnation!).set(epoch!, rangesOf(text!));
  }
}

function rangesOf(text: string): SeqRanges {
  return text.split(',').map((range): SeqRange => {
    const [from, to] = range.split('-');
    return [Number(from), Number(to)];
  });
}

function inside(maps: Map<string, Map<string, SeqRanges>>, key: string): Map<string, SeqRanges> {
  let map = maps.get(key);
  if (map === undefined) {
    map = new Map();
    maps.set(key, map);
  }
  return map;
}
