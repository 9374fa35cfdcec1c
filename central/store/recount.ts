/**
 * The recount: an agent's records counted again from what is stored, and held against the rows of its ledger. Pure; the
 * stores say what they found (`level-recount.ts`, `memory-agent.ts`).
 *
 * Every settled record left a key (seq, CRC, time, place), and in its place its data. So, of each epoch:
 * - the keys and what age thinned are together what the row says is committed and quarantined;
 * - in each place there are the data of exactly those keys;
 * - what gap records name is what the row says is lost by their cause; but what was lost with a process's memory, which
 *   the central judged itself;
 * - the four states sum to the highest seq reported.
 */
import { countSeqs, highest, type SeqRanges, subtract, unite } from '../../shared/wire/ranges.ts';
import { type EpochLedger, gapCauseOf, ledgerRow, rangesOf, VOLATILE_CAUSE } from './ledger.ts';
import type { EpochId, LedgerCheck } from './store.ts';
import { type RecordPlace, recordPlaces } from './values.ts';

/** Differences that are told; more of them say nothing more. */
const MOST_PROBLEMS = 100;
const RANGES_TOLD = 5;

/** What was found of one epoch. */
export interface Found {
  /** Seqs of the single keys, by the place that they name. */
  readonly keys: ReadonlyMap<RecordPlace, SeqRanges>;
  /** Seqs whose data are there, by place. */
  readonly data: ReadonlyMap<RecordPlace, SeqRanges>;
  /** Seqs whose data may be gone by age, whatever the place. */
  readonly expired: SeqRanges;
}

export interface FoundGap {
  readonly epoch: EpochId;
  readonly ranges: SeqRanges;
  readonly cause: string;
}

const dataPlaces = recordPlaces.filter((place) => place !== 'none');

export function recount(
  ledgers: readonly EpochLedger[],
  found: ReadonlyMap<EpochId, Found>,
  gaps: readonly FoundGap[],
): LedgerCheck {
  const problems: string[] = [];
  let records = 0;
  let thinned = 0;
  const tell = (epoch: EpochId, what: string, seqs: SeqRanges): void => {
    if (countSeqs(seqs) > 0 && problems.length < MOST_PROBLEMS)
      problems.push(`epoch ${epoch}: ${what}: ${words(seqs)}`);
  };
  const named = gapsByEpoch(gaps);
  for (const ledger of ledgers) {
    const { epoch } = ledger;
    const of = found.get(epoch) ?? { keys: new Map(), data: new Map(), expired: [] };
    const at = (map: ReadonlyMap<RecordPlace, SeqRanges>, place: RecordPlace): SeqRanges => map.get(place) ?? [];
    let keys: SeqRanges = [];
    for (const place of of.keys.keys()) if (place !== 'quarantine') keys = unite(keys, at(of.keys, place));
    const refused = at(of.keys, 'quarantine');
    records += countSeqs(unite(keys, refused));
    thinned += countSeqs(ledger.thinned);
    tell(epoch, 'the ledger says committed, and no record is stored', minus(ledger.committed, keys, ledger.thinned));
    tell(epoch, 'stored, and the ledger does not say committed', subtract(keys, ledger.committed));
    tell(epoch, 'the ledger says set aside, and nothing is', minus(ledger.quarantined, refused, ledger.thinned));
    tell(epoch, 'set aside, and the ledger does not say so', subtract(refused, ledger.quarantined));
    for (const place of dataPlaces) {
      const wanted = at(of.keys, place);
      tell(
        epoch,
        `settled, and its data (${place}) are not there`,
        minus(wanted, at(of.data, place), of.expired, ledger.thinned),
      );
      const kept = place === 'quarantine' ? unite(ledger.committed, ledger.quarantined) : ledger.committed;
      tell(epoch, `data (${place}) that the ledger does not know`, subtract(at(of.data, place), kept));
    }
    for (const cause of new Set([...Object.keys(ledger.lost), ...(named.get(epoch)?.keys() ?? [])])) {
      const said = ledger.lost[cause] ?? [];
      const stored = named.get(epoch)?.get(cause) ?? [];
      tell(epoch, `a gap record names it as lost (${cause}), and the ledger does not`, subtract(stored, said));
      if (ledger.volatile && cause === VOLATILE_CAUSE) continue;
      tell(epoch, `lost (${cause}) in the ledger, and no gap record names it`, minus(said, stored, ledger.thinned));
    }
    const row = ledgerRow(ledger);
    const sum = row.committed + row.quarantined + row.lost + row.pending;
    const top = Math.max(highest(ledger.committed), highest(ledger.quarantined), ledger.finalSeq);
    if (sum !== row.made || top > row.made) {
      problems.push(`epoch ${epoch}: ${sum} records are accounted for of ${row.made} made; the highest is ${top}`);
    }
  }
  const known = new Set(ledgers.map(({ epoch }) => epoch));
  for (const [epoch, { keys, data }] of found) {
    if (known.has(epoch)) continue;
    const seqs = [...keys.values(), ...data.values()].reduce((all, some) => unite(all, some), [] as SeqRanges);
    tell(epoch, 'stored, and the ledger has no such epoch', seqs);
  }
  for (const [epoch, causes] of named) {
    if (!known.has(epoch))
      tell(epoch, 'gap records name it, and the ledger has no such epoch', [...causes.values()][0]!);
  }
  return { epochs: ledgers.length, records, thinned, problems: problems.slice(0, MOST_PROBLEMS) };
}

function gapsByEpoch(gaps: readonly FoundGap[]): Map<EpochId, Map<string, SeqRanges>> {
  const collected = new Map<EpochId, Map<string, [number, number][]>>();
  for (const { epoch, ranges, cause } of gaps) {
    const causes = collected.get(epoch) ?? new Map<string, [number, number][]>();
    collected.set(epoch, causes);
    const list = causes.get(gapCauseOf(cause)) ?? [];
    causes.set(gapCauseOf(cause), list);
    for (const [from, to] of ranges) list.push([from, to]);
  }
  const out = new Map<EpochId, Map<string, SeqRanges>>();
  // One union over all of a cause's ranges: an agent may have named thousands of gaps, one by one.
  for (const [epoch, causes] of collected) {
    out.set(epoch, new Map([...causes].map(([cause, list]) => [cause, unite(list.slice(0, 1), list)])));
  }
  return out;
}

function minus(ranges: SeqRanges, ...others: readonly SeqRanges[]): SeqRanges {
  return others.reduce<SeqRanges>((left, other) => subtract(left, other), ranges);
}

function words(seqs: SeqRanges): string {
  const told = seqs.slice(0, RANGES_TOLD).map(([from, to]) => (from === to ? `seq ${from}` : `seqs ${from} to ${to}`));
  const more = seqs.length > RANGES_TOLD ? ` and ${countSeqs(seqs.slice(RANGES_TOLD))} more` : '';
  return told.join(', ') + more;
}

/** Collects what a store finds. */
export class Finder {
  readonly #found = new Map<
    EpochId,
    { keys: Map<RecordPlace, number[]>; data: Map<RecordPlace, [number, number][]>; expired: number[] }
  >();

  #of(epoch: EpochId) {
    let found = this.#found.get(epoch);
    if (found === undefined) {
      found = { keys: new Map(), data: new Map(), expired: [] };
      this.#found.set(epoch, found);
    }
    return found;
  }

  key(epoch: EpochId, place: RecordPlace, seq: number, expired: boolean): void {
    const found = this.#of(epoch);
    push(found.keys, place, seq);
    if (expired) found.expired.push(seq);
  }

  data(epoch: EpochId, place: RecordPlace, from: number, to = from): void {
    push(this.#of(epoch).data, place, [from, to]);
  }

  finish(): Map<EpochId, Found> {
    const out = new Map<EpochId, Found>();
    for (const [epoch, { keys, data, expired }] of this.#found) {
      out.set(epoch, {
        keys: new Map([...keys].map(([place, seqs]) => [place, rangesOf(seqs)])),
        data: new Map([...data].map(([place, ranges]) => [place, unite(ranges.slice(0, 1), ranges)])),
        expired: rangesOf(expired),
      });
    }
    return out;
  }
}

function push<T>(map: Map<RecordPlace, T[]>, place: RecordPlace, value: T): void {
  const list = map.get(place);
  if (list === undefined) map.set(place, [value]);
  else list.push(value);
}
