import { describe, expect, it } from 'vitest';
import type { Finding, Incident, RankedFinding } from '../shared/findings.ts';
import { limits } from '../shared/limits.ts';
import { readBlock } from '../shared/wire/block.ts';
import { decodeEvidence, type Evidence } from '../shared/wire/bodies.ts';
import { EvidenceStage } from './evidence.ts';
import { RecentRing } from './recent.ts';

const MINUTE = 60_000;
/** UTC at monotonic 0. */
const OFFSET = 1_700_000_000_000;
const EPOCH = 'ab'.repeat(16);

const idOf = (series: number) => series.toString(16).padStart(16, '0');

function incident(seq: number, openedMs: number, closedMs: number | null, series: readonly number[]): Incident {
  const findings = series.map((number) => ({ series: idOf(number) }) as Finding as RankedFinding);
  const state = closedMs === null ? 'open' : 'closed';
  const rest = { revision: 1, severity: 'warning', updatedMs: openedMs, title: '', more: 0 } as const;
  return { epoch: EPOCH, seq, state, openedMs, closedMs, findings, ...rest };
}

/** A ring, the stage over it, and what it kept; `run` feeds a value a second. */
function setUp(series: number) {
  const ring = new RecentRing({ memoryBytes: 16e6, series });
  const kept: Evidence[] = [];
  const sizes: number[] = [];
  const stage = new EvidenceStage({
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    range: (number, fromMs, toMs) => ring.range(number, fromMs, toMs),
    numberOf: (id) => Number.parseInt(id, 16),
    seriesCount: () => series,
    // Two tables, to see them apart.
    placeOf: (number) => ({ table: (number % 2 === 0 ? 'aa' : 'bb').repeat(8), index: number >> 1 }),
    append: async (body) => {
      sizes.push(body.length);
      kept.push(decodeEvidence(body));
    },
  });
  let nowMs = 0;
  const now = () => ({ monotonicMs: nowMs, utcMs: OFFSET + nowMs });
  const run = (untilMs: number) => {
    for (; nowMs < untilMs; nowMs += 1000) {
      for (let s = 0; s < series; s++) ring.append(s, nowMs, Math.sin(nowMs * (s + 1)));
      stage.tick(now());
    }
  };
  /** Times in UTC of a series over all that was kept. */
  const times = (number: number) => {
    const table = (number % 2 === 0 ? 'aa' : 'bb').repeat(8);
    return kept
      .filter((evidence) => evidence.table === table)
      .flatMap(({ blocks }) => blocks.filter((block) => block.series === number >> 1))
      .flatMap(({ data }) => Array.from(readBlock(data, 65_535).timesMs));
  };
  return { stage, kept, sizes, now, run, times };
}

describe('evidence', () => {
  it('is pinned from 10 minutes before an incident to 5 after it opened, and around its end, once', async () => {
    const { stage, run, now, times } = setUp(3);
    run(20 * MINUTE);
    stage.update(incident(7, OFFSET + 20 * MINUTE, null, [1]), now());
    await stage.settled();
    expect(times(1)).toHaveLength(10 * 60);
    run(45 * MINUTE);
    stage.update(incident(7, OFFSET + 20 * MINUTE, OFFSET + 45 * MINUTE, [1]), now());
    run(55 * MINUTE);
    await stage.settled();
    const got = times(1).map((timeMs) => (timeMs - OFFSET) / 1000);
    const wanted = [];
    for (let s = 10 * 60; s <= 25 * 60; s++) wanted.push(s);
    for (let s = 40 * 60; s <= 50 * 60; s++) wanted.push(s);
    expect([...new Set(got)]).toEqual(wanted);
    expect(got.length).toBeLessThanOrEqual(wanted.length + 2);
  });

  it('takes the series that tell most first, in bounded records', async () => {
    const { stage, run, now, times, kept, sizes } = setUp(200);
    run(12 * MINUTE);
    stage.update(incident(7, OFFSET + 12 * MINUTE, null, [150, 3]), now());
    await stage.settled();
    expect(times(150)).toHaveLength(600);
    expect(times(3)).toHaveLength(600);
    expect(times(199)).toHaveLength(0);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(limits.recordBytes - 128);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2 * limits.recordBytes + 4096);
    expect(kept.every((evidence) => evidence.incidentEpoch === EPOCH && evidence.incidentSeq === 7)).toBe(true);
  });

  it('follows a bounded number of incidents', async () => {
    const { stage, run, now, kept } = setUp(1);
    run(MINUTE);
    for (let seq = 1; seq <= 40; seq++) stage.update(incident(seq, OFFSET + MINUTE, null, [0]), now());
    await stage.settled();
    expect(new Set(kept.map(({ incidentSeq }) => incidentSeq)).size).toBe(16);
  });
});
