/**
 * Pins what surrounds an incident: the values at full rate from 10 minutes before it opened to 5 minutes after, and
 * around its end, as EVIDENCE records on disk. The series that tell most come first, then others while there is room.
 * What was before is pinned at once, as the ring forgets it; the rest when its time has come.
 */
import type { Instant } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import type { Incident } from '../shared/findings.ts';
import { limits, MINUTE_MS } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import type { SeriesId, SeriesNumber } from '../shared/series.ts';
import { BlockWriter } from '../shared/wire/block.ts';
import { encodeEvidence } from '../shared/wire/bodies.ts';

const BEFORE_MS = 10 * MINUTE_MS;
const AFTER_MS = 5 * MINUTE_MS;
/** Of one stretch (before, after the opening, around the end) of one incident. */
const STRETCH_BYTES = 2 * limits.recordBytes;
/** Incidents that are followed at a time; of more there is no evidence. */
const INCIDENTS = 16;
/** One series' share of a record at most; a longer stretch is several blocks. */
const BLOCK_BYTES = 8 * 1024;
/** Fields of record and message beside the blocks; tag, index and lengths of one block. */
const FIELDS_BYTES = 256;
const BLOCK_FIELDS_BYTES = 16;

/** Where a series stands in a table that travels. */
export interface TablePlace {
  /** 16 hex digits. */
  readonly table: string;
  readonly index: number;
}

export interface EvidenceOptions {
  readonly log: Log;
  /** What is held of a series between two monotonic times (`RecentRing.range`). */
  readonly range: (
    series: SeriesNumber,
    fromMs: number,
    toMs: number,
  ) => { readonly timesMs: Float64Array; readonly values: Float64Array };
  /** Number of a series, or -1. */
  readonly numberOf: (id: SeriesId) => SeriesNumber;
  /** Series have numbers below this. */
  readonly seriesCount: () => number;
  /** Where a series stands in a table that is or will be in the outbox; null where it is in none. */
  readonly placeOf: (series: SeriesNumber) => TablePlace | null;
  /** Keeps the body of an EVIDENCE record; the options are those of `Outbox.append`. */
  readonly append: (
    body: Uint8Array,
    options: { readonly table: string; readonly fromWallMs: number; readonly toWallMs: number },
  ) => Promise<unknown>;
}

/** UTC from, to; when it is due. */
interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Followed {
  incident: Incident;
  /** Everything up to here is pinned. */
  pinnedToMs: number;
  openingPinned: boolean;
}

interface Block {
  readonly place: TablePlace;
  readonly data: Uint8Array;
}

export class EvidenceStage {
  readonly #options: EvidenceOptions;
  readonly #followed = new Map<string, Followed>();
  readonly #writer = new BlockWriter(new Uint8Array(BLOCK_BYTES));
  #tail: Promise<void> = Promise.resolve();

  constructor(options: EvidenceOptions) {
    this.#options = options;
  }

  /** Every revision of an incident that has its id, the opening and the closing one too. */
  update(incident: Incident, now: Instant): void {
    const key = `${incident.epoch}/${incident.seq}`;
    const known = this.#followed.get(key);
    if (known !== undefined) {
      known.incident = incident;
      return;
    }
    if (incident.state === 'closed') return;
    if (this.#followed.size >= INCIDENTS) {
      this.#options.log.warn({ incident: key }, 'too many incidents at once: of this one no evidence is kept');
      return;
    }
    this.#followed.set(key, { incident, pinnedToMs: now.utcMs, openingPinned: false });
    this.#pin(incident, { fromMs: incident.openedMs - BEFORE_MS, toMs: now.utcMs }, now);
  }

  /** The idea of UTC moved by as much. */
  moveTimes(byMs: number): void {
    for (const followed of this.#followed.values()) {
      const { openedMs, closedMs } = followed.incident;
      followed.incident = {
        ...followed.incident,
        openedMs: openedMs + byMs,
        closedMs: closedMs === null ? null : closedMs + byMs,
      };
      followed.pinnedToMs += byMs;
    }
  }

  /** Pins what is due. Once a second is often enough. */
  tick(now: Instant): void {
    for (const [key, followed] of this.#followed) {
      const { incident } = followed;
      const openingEndMs = incident.openedMs + AFTER_MS;
      if (!followed.openingPinned && now.utcMs >= openingEndMs) {
        followed.openingPinned = true;
        this.#pinUpTo(followed, followed.pinnedToMs, openingEndMs, now);
      }
      const { closedMs } = incident;
      if (closedMs === null || now.utcMs < closedMs + AFTER_MS) continue;
      this.#followed.delete(key);
      this.#pinUpTo(followed, closedMs - AFTER_MS, closedMs + AFTER_MS, now);
    }
  }

  /** Resolves when all that was pinned is durable or lost. */
  settled(): Promise<void> {
    return this.#tail;
  }

  #pinUpTo(followed: Followed, fromMs: number, toMs: number, now: Instant): void {
    const stretch = { fromMs: Math.max(fromMs, followed.pinnedToMs), toMs };
    if (stretch.fromMs >= stretch.toMs) return;
    followed.pinnedToMs = toMs;
    this.#pin(followed.incident, stretch, now);
  }

  #pin(incident: Incident, stretch: Stretch, now: Instant): void {
    const offsetMs = now.utcMs - now.monotonicMs;
    const blocks: Block[] = [];
    let leftBytes = STRETCH_BYTES;
    for (const series of this.#inOrder(incident)) {
      const place = this.#options.placeOf(series);
      if (place === null) continue;
      const found = this.#blocksOf(series, stretch, offsetMs);
      const sizeBytes = found.reduce((sum, data) => sum + data.length + BLOCK_FIELDS_BYTES, 0);
      if (sizeBytes > leftBytes) break;
      leftBytes -= sizeBytes;
      for (const data of found) blocks.push({ place, data });
    }
    for (const record of bundled(blocks)) this.#keep(incident, stretch, record);
  }

  /** The incident's own series, the most telling first; then all others. */
  *#inOrder(incident: Incident): Generator<SeriesNumber> {
    const told = new Set<SeriesNumber>();
    for (const { series } of incident.findings) {
      const number = this.#options.numberOf(series);
      if (number >= 0) told.add(number);
    }
    yield* told;
    for (let number = 0; number < this.#options.seriesCount(); number++) if (!told.has(number)) yield number;
  }

  /** Blocks with times in UTC. */
  #blocksOf(series: SeriesNumber, { fromMs, toMs }: Stretch, offsetMs: number): Uint8Array[] {
    const { timesMs, values } = this.#options.range(series, fromMs - offsetMs, toMs - offsetMs);
    const out: Uint8Array[] = [];
    this.#writer.reset();
    for (let i = 0; i < timesMs.length; i++) {
      if (this.#writer.append(timesMs[i]! + offsetMs, values[i]!)) continue;
      out.push(this.#writer.finish());
      this.#writer.reset();
      this.#writer.append(timesMs[i]! + offsetMs, values[i]!);
    }
    if (this.#writer.count > 0) out.push(this.#writer.finish());
    return out;
  }

  #keep(incident: Incident, { fromMs, toMs }: Stretch, blocks: readonly Block[]): void {
    const { table } = blocks[0]!.place;
    const [fromWallMs, toWallMs] = [Math.round(fromMs), Math.round(toMs)];
    const body = encodeEvidence({
      incidentEpoch: incident.epoch,
      incidentSeq: incident.seq,
      table,
      fromWallMs,
      toWallMs,
      blocks: blocks.map(({ place, data }) => ({ series: place.index, data })),
    });
    this.#tail = this.#tail
      .then(() => this.#options.append(body, { table, fromWallMs, toWallMs }))
      .then(
        () => undefined,
        (error: unknown) => this.#options.log.warn({ error: messageOf(error) }, 'evidence could not be kept'),
      );
  }
}

/** Blocks of one table that fit into one record together, in their order. */
function bundled(blocks: readonly Block[]): Block[][] {
  const out: Block[][] = [];
  const open = new Map<string, { readonly blocks: Block[]; leftBytes: number }>();
  for (const block of blocks) {
    const sizeBytes = block.data.length + BLOCK_FIELDS_BYTES;
    let bundle = open.get(block.place.table);
    if (bundle === undefined || bundle.leftBytes < sizeBytes) {
      bundle = { blocks: [], leftBytes: limits.recordBytes - FIELDS_BYTES };
      open.set(block.place.table, bundle);
      out.push(bundle.blocks);
    }
    bundle.blocks.push(block);
    bundle.leftBytes -= sizeBytes;
  }
  return out;
}
