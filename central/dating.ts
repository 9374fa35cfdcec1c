/**
 * When a record was made, in the central's time; nothing relies on a wall clock.
 *
 *     live envelopes ─► fit.ts: offset of the boot       what records say ─► row.ts: its facts, order in the chain
 *                                     └──────────► date ◄──────────┘
 *                                                   │            boots never online ─► place.ts
 *                     differs from what is filed ─► due ─► redating.ts ─► store
 *
 * Order of belief: live offset; trusted wall time; between the neighbours in the chain of boots, marked as not dated.
 * Each boot is a row in the store, written with the batch that changed it, so that a central that starts again dates
 * the late backlog of boots that are over as it dated what came before.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../shared/limits.ts';
import type { EpochStart } from '../shared/wire/bodies.ts';
import type { EdgeRecord } from '../shared/wire/record.ts';
import { excessOf, extended, greatestDifference, type Knots, offsetAt, takeBound } from './dating/fit.ts';
import { type Placeable, placeBoots } from './dating/place.ts';
import { type BootRow, compareBoots, emptyRow, isDated, knotsOf, utcAt } from './dating/row.ts';

/** Rows of one agent: a machine that boots each ten minutes for a month. Beyond it the oldest are forgotten. */
const MOST_BOOTS = 4_096;
/** A difference that is worth filing records anew. */
const MATERIAL_MS = 1_000;
/** How far a boot that is dated went is written down in such steps. */
const STEP_KEPT_MS = 5 * MINUTE_MS;
/** Boots are placed anew when nothing has come for so long: while a backlog comes in, each batch would move them. */
const QUIET_MS = 20_000;
/** Bounds that are all later than any drift explains, for so long: a clock was set, and what was fitted is void. */
const STEP_MS = MINUTE_MS;
const STEP_LASTS_MS = 10 * MINUTE_MS;
const STEP_BOUNDS = 5;

export interface Dated {
  readonly timeMs: number;
  readonly dated: boolean;
}

export interface DueBoot {
  readonly agent: string;
  readonly bootId: string;
  readonly knots: Knots;
  readonly dated: boolean;
}

/** No machine runs longer; what says so is not believed. */
const LONGEST_BOOT_MS = 20 * 365 * DAY_MS;

interface Doubt {
  readonly sinceMs: number;
  readonly bounds: number;
  readonly best: readonly [monotonicMs: number, offsetMs: number];
}

interface AgentBoots {
  readonly rows: Map<string, BootRow>;
  readonly changed: Set<string>;
  readonly undated: Set<string>;
  readonly doubts: Map<string, Doubt>;
  /** Facts changed that may move boots which are placed. */
  unsettled: boolean;
  heardMs: number;
}

export class BootOffsets {
  readonly #agents = new Map<string, AgentBoots>();
  readonly #loading = new Map<string, Promise<void>>();
  readonly #read: ((agent: string) => Promise<readonly BootRow[]>) | null;

  /** @param read an agent's rows from the store; null: begins with nothing */
  constructor(read: ((agent: string) => Promise<readonly BootRow[]>) | null = null) {
    this.#read = read;
  }

  /** Before anything else is asked of an agent: what is stored of it. */
  async load(agent: string): Promise<void> {
    if (this.#read === null || this.#agents.has(agent)) return;
    let loading = this.#loading.get(agent);
    if (loading === undefined) {
      loading = this.#read(agent)
        .then((rows) => {
          const boots = this.#of(agent);
          for (const row of [...rows].sort(compareBoots).slice(-MOST_BOOTS)) this.#put(boots, row, false);
          boots.unsettled = boots.undated.size > 0;
        })
        .finally(() => this.#loading.delete(agent));
      this.#loading.set(agent, loading);
    }
    await loading;
  }

  forget(agent: string): void {
    this.#agents.delete(agent);
  }

  /** A live envelope of this boot was sent at `sentMonotonicMs` and came at `receivedMs`. */
  heard(agent: string, bootId: string, sentMonotonicMs: number, receivedMs: number): void {
    if (!isPossible(sentMonotonicMs)) return;
    const boots = this.#of(agent);
    const row = this.#row(boots, bootId, receivedMs);
    const offsetMs = receivedMs - sentMonotonicMs;
    const excessMs = excessOf(row.live, sentMonotonicMs, offsetMs);
    if (excessMs < STEP_MS) boots.doubts.delete(bootId);
    else if (this.#stepped(boots, bootId, sentMonotonicMs, offsetMs)) {
      const { best } = boots.doubts.get(bootId)!;
      boots.doubts.delete(bootId);
      this.#fitted(boots, { ...row, live: [best] });
      return;
    }
    const live = takeBound(row.live, sentMonotonicMs, offsetMs);
    if (live === row.live) return;
    // What comes from now on is filed by a new hour's knot; what lies behind it was filed by the old ones.
    const [newestMs] = live.at(-1)!;
    const beforeMs = row.live.at(-1)?.[0];
    const filedMs = row.filed.at(-1)?.[0];
    const goesOn =
      beforeMs !== undefined &&
      filedMs !== undefined &&
      Math.floor(newestMs / HOUR_MS) > Math.floor(beforeMs / HOUR_MS) &&
      newestMs > filedMs &&
      row.lastMs < filedMs + 2 * HOUR_MS;
    const filed = goesOn ? extended(row.filed, newestMs, offsetAt(live, newestMs)!) : row.filed;
    this.#fitted(boots, { ...row, live, filed });
  }

  /** A record of this agent came: what it says of its boot. */
  noted(agent: string, record: EdgeRecord, receivedMs: number): void {
    const { bootId, monotonicMs, wallMs, wallTrusted } = record;
    if (!isPossible(monotonicMs)) return;
    const boots = this.#of(agent);
    const row = this.#row(boots, bootId, receivedMs);
    boots.heardMs = receivedMs;
    const first = row.lastMs < 0;
    const latest = monotonicMs >= row.lastMs;
    const ceilingMs = Math.min(row.ceilingMs, receivedMs - monotonicMs);
    if (first || latest || monotonicMs < row.firstMs || ceilingMs < row.ceilingMs) {
      const after = {
        ...row,
        firstMs: first ? monotonicMs : Math.min(row.firstMs, monotonicMs),
        lastMs: Math.max(row.lastMs, monotonicMs),
        ceilingMs,
        wallMs: latest ? wallMs - monotonicMs : row.wallMs,
      };
      // That it goes on is not worth a write each minute.
      const stepMs = isDated(row) ? STEP_KEPT_MS : 0;
      const kept = Math.floor(after.lastMs / stepMs) !== Math.floor(row.lastMs / stepMs);
      this.#put(boots, after, first || stepMs === 0 || kept || after.firstMs < row.firstMs);
      if (boots.undated.size > 0) boots.unsettled = true;
    }
    if (wallTrusted === 'yes') this.trusted(agent, bootId, monotonicMs, wallMs);
  }

  /** The agent knew UTC at that time by the central's clock. */
  trusted(agent: string, bootId: string, monotonicMs: number, utcMs: number): void {
    const boots = this.#of(agent);
    const row = boots.rows.get(bootId);
    const hour = Math.floor(monotonicMs / HOUR_MS);
    if (row === undefined || row.live.length > 0 || !isPossible(monotonicMs)) return;
    // What came before it was made was not made then, whatever either clock said.
    if (utcMs - monotonicMs > row.ceilingMs + STEP_MS) return;
    if (row.trusted.some(([atMs]) => Math.floor(atMs / HOUR_MS) === hour)) return;
    const trusted = [...extended(row.trusted, monotonicMs, utcMs - monotonicMs)].sort(([a], [b]) => a - b);
    this.#fitted(boots, { ...row, trusted });
  }

  /** A boot's place in the chain: it made this epoch. */
  started(agent: string, bootId: string, epoch: string, { parent, start }: EpochStart): void {
    const boots = this.#of(agent);
    const row = boots.rows.get(bootId);
    if (row === undefined) return;
    const others = [...boots.rows.values()].filter(({ id }) => id !== bootId);
    const known = row.firstStart > 0;
    let { chain } = row;
    if (!known) {
      const before = parent === null ? undefined : others.find(({ lastEpoch }) => lastEpoch === parent);
      // Two boots with one start counter are of two disks.
      const taken = (at: number): boolean =>
        others.some((other) => other.chain === at && other.firstStart <= start && other.lastStart >= start);
      chain = before?.chain ?? others.reduce((most, other) => Math.max(most, other.chain), 0);
      if (before === undefined && taken(chain)) chain++;
    }
    this.#put(boots, {
      ...row,
      chain,
      firstStart: known ? Math.min(row.firstStart, start) : start,
      lastStart: Math.max(row.lastStart, start),
      lastEpoch: start >= row.lastStart ? epoch : row.lastEpoch,
    });
    if (boots.undated.size > 0) boots.unsettled = true;
  }

  /** UTC minus monotonic time of a boot by its live envelopes, or null where none of them was ever heard. */
  offsetMs(agent: string, bootId: string): number | null {
    const row = this.#agents.get(agent)?.rows.get(bootId);
    const newestMs = row?.live.at(-1)?.[0];
    return newestMs === undefined ? null : utcAt(row!.live, newestMs)! - newestMs;
  }

  /** @param monotonicMs the time of interest, default that of the record's making */
  date(agent: string, record: EdgeRecord, monotonicMs = record.monotonicMs, wallMs = record.wallMs): Dated {
    const boots = this.#agents.get(agent);
    let row = boots?.rows.get(record.bootId);
    if (boots === undefined || row === undefined) return { timeMs: wallMs, dated: record.wallTrusted === 'yes' };
    if (knotsOf(row).length === 0) row = this.#placed(boots, row);
    const knots = knotsOf(row);
    if (row.filed.length === 0) this.#put(boots, { ...row, filed: knots, filedDated: isDated(row) });
    return { timeMs: utcAt(knots, monotonicMs) ?? wallMs, dated: isDated(row) };
  }

  /** Rows that are to be written. */
  changed(agent: string): readonly BootRow[] {
    const boots = this.#agents.get(agent);
    return boots === undefined ? [] : [...boots.changed].flatMap((id) => boots.rows.get(id) ?? []);
  }

  /** These rows are durable. */
  saved(agent: string, rows: readonly BootRow[]): void {
    const boots = this.#agents.get(agent);
    for (const row of rows) if (boots?.rows.get(row.id) === row) boots.changed.delete(row.id);
  }

  /** Boots whose records are to be filed anew; of those that are placed, when nothing has come for a while. */
  due(nowMs: number): readonly DueBoot[] {
    const out: DueBoot[] = [];
    for (const [agent, boots] of this.#agents) {
      if (boots.unsettled && Math.abs(nowMs - boots.heardMs) >= QUIET_MS) this.#placeAll(boots);
      for (const row of boots.rows.values()) {
        if (!row.due || (!isDated(row) && boots.unsettled)) continue;
        out.push({ agent, bootId: row.id, knots: knotsOf(row), dated: isDated(row) });
      }
    }
    return out;
  }

  /** What was due is filed anew by these knots. */
  refiled({ agent, bootId, knots, dated }: DueBoot): void {
    const boots = this.#agents.get(agent);
    const row = boots?.rows.get(bootId);
    if (boots === undefined || row === undefined) return;
    this.#fitted(boots, { ...row, filed: knots, filedDated: dated, due: false });
  }

  #of(agent: string): AgentBoots {
    let boots = this.#agents.get(agent);
    if (boots === undefined) {
      boots = {
        rows: new Map(),
        changed: new Set(),
        undated: new Set(),
        doubts: new Map(),
        unsettled: false,
        heardMs: 0,
      };
      this.#agents.set(agent, boots);
    }
    return boots;
  }

  #row(boots: AgentBoots, id: string, nowMs: number): BootRow {
    const known = boots.rows.get(id);
    if (known !== undefined) return known;
    let newest: BootRow | null = null;
    for (const row of boots.rows.values()) if (newest === null || compareBoots(row, newest) > 0) newest = row;
    const row = emptyRow(id, newest?.chain ?? 0, nowMs);
    this.#put(boots, row);
    if (boots.rows.size > MOST_BOOTS) {
      const oldest = [...boots.rows.values()].sort(compareBoots)[0]!;
      boots.rows.delete(oldest.id);
      boots.undated.delete(oldest.id);
      boots.doubts.delete(oldest.id);
      boots.changed.delete(oldest.id);
    }
    return row;
  }

  #put(boots: AgentBoots, row: BootRow, changed = true): void {
    boots.rows.set(row.id, row);
    if (changed) boots.changed.add(row.id);
    if (isDated(row) || row.lastMs < 0) boots.undated.delete(row.id);
    else boots.undated.add(row.id);
  }

  /** An offset changed: whether what is filed is to be filed anew. */
  #fitted(boots: AgentBoots, row: BootRow): void {
    const differs =
      row.filed.length > 0 &&
      (row.filedDated !== isDated(row) ||
        greatestDifference(row.filed, knotsOf(row), row.firstMs, row.lastMs) > MATERIAL_MS);
    this.#put(boots, { ...row, due: differs });
    if (boots.undated.size > 0) boots.unsettled = true;
  }

  #stepped(boots: AgentBoots, id: string, monotonicMs: number, offsetMs: number): boolean {
    const before = boots.doubts.get(id);
    const bound = [monotonicMs, offsetMs] as const;
    const doubt: Doubt = {
      sinceMs: before?.sinceMs ?? monotonicMs,
      bounds: (before?.bounds ?? 0) + 1,
      best: before !== undefined && before.best[1] <= offsetMs ? before.best : bound,
    };
    boots.doubts.set(id, doubt);
    return doubt.bounds >= STEP_BOUNDS && monotonicMs - doubt.sinceMs >= STEP_LASTS_MS;
  }

  /** A first place for a boot of which nothing says when it was. */
  #placed(boots: AgentBoots, row: BootRow): BootRow {
    const placedMs = this.#places(boots).get(row.id) ?? row.wallMs ?? 0;
    const out = { ...row, placedMs };
    this.#put(boots, out);
    return out;
  }

  #placeAll(boots: AgentBoots): void {
    boots.unsettled = false;
    for (const [id, placedMs] of this.#places(boots)) {
      const row = boots.rows.get(id)!;
      if (row.placedMs === null || Math.abs(row.placedMs - placedMs) <= MATERIAL_MS) continue;
      this.#fitted(boots, { ...row, placedMs });
    }
    boots.unsettled = false;
  }

  #places(boots: AgentBoots): ReadonlyMap<string, number> {
    const rows = [...boots.rows.values()].filter((row) => row.lastMs >= 0).sort(compareBoots);
    const inChain = rows.filter((row) => row.firstStart > 0 || isDated(row));
    const places = placeBoots(inChain.map(placeable));
    // Its first record is lost or not here yet: it has no neighbours.
    for (const row of rows) if (!inChain.includes(row)) places.set(row.id, placeBoots([placeable(row)]).get(row.id)!);
    return places;
  }
}

function isPossible(monotonicMs: number): boolean {
  return monotonicMs >= 0 && monotonicMs <= LONGEST_BOOT_MS;
}

function placeable(row: BootRow): Placeable {
  const { id, lastMs, ceilingMs, wallMs } = row;
  return { id, knots: isDated(row) ? knotsOf(row) : [], lastMs, ceilingMs, wallOffsetMs: wallMs };
}
