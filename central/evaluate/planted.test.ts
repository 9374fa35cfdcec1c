/** Challengers that are bad in one way each, beside a champion that fits: each is refused, and for that. */
import { expect, it } from 'vitest';
import { type SeasonalParams, seasonal } from '../../shared/detect/seasonal.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import { history, seededNormal } from '../../test/support/history.ts';
import type { SummaryBlock } from '../store/store.ts';
import type { ModelKind } from '../train/kind.ts';
import { type Knowledge, knowsNothing } from '../train/knowledge.ts';
import { seasonalModels } from '../train/seasonal-kind.ts';
import type { Judgement } from './api.ts';
import { decide } from './decide.ts';
import { judge } from './judge.ts';

const WINDOWS = 2880;
const heldOutFromMs = 1440 * MINUTE_MS;
const toMs = WINDOWS * MINUTE_MS;
const tail = { threshold: 1.645, share: 0.05, scale: 0.4, shape: 0 };
const fitting: SeasonalParams = {
  ...seasonal.defaults,
  windows: 1000,
  levels: [100],
  scale: 1,
  upper: tail,
  lower: tail,
  findingBits: 15,
  capBits: 30,
};
const ids = Array.from({ length: 6 }, (_, i) => (i + 1).toString(16).padStart(16, '0'));
const blocks = ids.map((series, i) => {
  const normal = seededNormal(i + 1);
  return history({ series, windows: WINDOWS }, () => 100 + normal());
});

async function* between(fromMs: number, untilMs: number, only: ReadonlySet<string> | null, from = blocks) {
  for (const block of from) {
    if (only !== null && !only.has(block.series)) continue;
    const first = block.timesMs.findIndex((timeMs) => timeMs > fromMs);
    const rows = block.timesMs.filter((timeMs) => timeMs > fromMs && timeMs <= untilMs).length;
    const cut = (column: Float64Array): Float64Array => column.subarray(first, first + rows);
    const columns = Object.entries(block).map(([name, value]) => [
      name,
      value instanceof Float64Array ? cut(value) : value,
    ]);
    if (rows > 0) yield Object.fromEntries(columns) as unknown as SummaryBlock;
  }
}

interface Setting<P> {
  readonly kind: ModelKind<P>;
  readonly championToMs: number;
  readonly knowledge: Knowledge;
  readonly from: SummaryBlock[];
}

async function against<P extends SeasonalParams>(
  challenger: P,
  champion: P | null,
  setting: Partial<Setting<P>> = {},
): Promise<{ judgement: Judgement; accepted: boolean; reason: string }> {
  const kind = setting.kind ?? (seasonalModels[0]! as unknown as ModelKind<P>);
  const model = (params: P) => new Map(ids.map((id) => [id, params]));
  const read = (fromMs: number, untilMs: number, only: ReadonlySet<string> | null) =>
    between(fromMs, untilMs, only, setting.from);
  const judgement = await judge({
    kind,
    training: { windowMs: MINUTE_MS, zone: fitting.zone, findingsPerDay: 1 },
    challenger: model(challenger),
    champion: champion && { version: 7, toMs: setting.championToMs ?? 0, series: model(champion) },
    ...{ fromMs: 0, heldOutFromMs, toMs, seed: 'planted', history: read, raw: read },
    knowledge: setting.knowledge ?? knowsNothing,
    random: () => 0.5,
    signal: new AbortController().signal,
  });
  const standing = { windowMs: MINUTE_MS, findingsPerDay: 1, challengerSeries: ids.length, challengerWindows: 5000 };
  const theirs = { version: 7, series: ids.length, windows: 1000, outdated: false };
  return { judgement, ...decide(judgement, { ...standing, champion: champion && theirs }) };
}

it('the same again is accepted for its longer history: nothing is held against it by chance', async () => {
  const { accepted, reason, judgement } = await against(fitting, fitting);
  expect([accepted, reason]).toEqual([true, 'No worse, and learned from twice the history of model 7.']);
  expect(judgement.recall[0]).toMatchObject({ kind: null, lost: 0, gained: 0 });
});

it('too narrow', async () => {
  const { accepted, reason } = await against({ ...fitting, scale: 0.3 }, fitting);
  expect(accepted).toBe(false);
  expect(reason).toMatch(/^Not calibrated: .*Its band is too narrow\.$/);
});

it('too wide: it misses what the champion finds', async () => {
  const { accepted, reason } = await against({ ...fitting, scale: 3 }, fitting);
  expect(accepted).toBe(false);
  expect(reason).toMatch(/^Less sensitive: .* model 7 .*Its band is too wide\.$/);
});

it.each([
  [104, 'lies too high'],
  [96, 'lies too low'],
])('biased: a level of %d', async (level, where) => {
  const { accepted, reason } = await against({ ...fitting, levels: [level] }, fitting);
  expect(accepted).toBe(false);
  expect(reason).toMatch(/^Not calibrated: /);
  expect(reason).toContain(`Its band ${where}.`);
});

it('biased by less than the band is wide', async () => {
  const { accepted, reason } = await against({ ...fitting, levels: [100.8] }, fitting);
  expect(accepted).toBe(false);
  expect(reason).toMatch(/^Not better by 2 %: .*Its band lies too high\.$/);
});

/** Its level follows the values slowly, as a detector that learns while it is judged. */
interface Following extends SeasonalParams {
  readonly follows: boolean;
}

it('blind to drift: its level follows it', async () => {
  const plain = seasonalModels[0]! as unknown as ModelKind<Following>;
  const kind: ModelKind<Following> = {
    ...plain,
    detector: {
      ...(seasonal as unknown as ModelKind<Following>['detector']),
      start: () => ({ level: 100 }),
      score(params, state, x, quality, at, out) {
        const { level } = state as { level: number };
        const seen = params.follows ? { ...params, levels: [level] } : params;
        seasonal.score(seen, { windows: 0, lastMs: 0 }, x, quality, at, out);
      },
      learn(_params, state, x) {
        const own = state as { level: number };
        own.level += 0.02 * (x[0]! - own.level);
      },
    },
  };
  const { accepted, reason, judgement } = await against(
    { ...fitting, follows: true },
    { ...fitting, follows: false },
    { kind },
  );
  expect(accepted).toBe(false);
  expect(reason).toMatch(/^Blind to drift: of \d+ injected faults it finds \d+, model 7 \d+; 20 % fewer/);
  const spikes = judgement.recall.find((one) => one.kind === 'spike')!;
  expect(spikes.challenger.found).toBeGreaterThan(0.9 * spikes.champion!.found);
});

it('one that misses what operators called real, though the injected faults are found', async () => {
  const at = 2000;
  // A low level: the champion, whose lower side is sharp, finds it.
  const from = blocks.map((block) => ({ ...block, mean: block.mean.slice() }));
  for (const { mean } of from.slice(0, 2)) mean.fill(94, at, at + 20);
  const range = { fromMs: at * MINUTE_MS, toMs: (at + 20) * MINUTE_MS };
  const series = new Map([[ids[0]!, range]]);
  const knowledge = { ...knowsNothing, incidents: [{ ...range, verdict: 'real' as const, series }] };
  const allowance = { from: Math.floor((at % 1440) / 15), steps: 3, days: 0, upper: 1, lower: 3 };
  const dull = { ...fitting, allowances: [allowance] };
  const { accepted, reason, judgement } = await against(dull, fitting, { knowledge, from });
  expect(judgement.labelled).toEqual({
    cases: 1,
    challenger: { found: 0, delayMs: null },
    champion: { found: 1, delayMs: MINUTE_MS },
    lost: 1,
    gained: 0,
  });
  expect([accepted, reason]).toEqual([
    false,
    'Misses what operators called real: of 1 incidents it finds 0, model 7 1.',
  ]);
});

it('puts no faults into series of which operators said that more is usual', async () => {
  const range = { fromMs: 0, toMs: MINUTE_MS };
  const incident = { ...range, verdict: 'false_alarm' as const, series: new Map(ids.map((id) => [id, range])) };
  const { judgement } = await against(fitting, fitting, { knowledge: { ...knowsNothing, incidents: [incident] } });
  expect([judgement.injected, judgement.recall]).toEqual([[], []]);
});

it('says the same twice', async () => {
  expect((await against(fitting, fitting)).judgement).toEqual((await against(fitting, fitting)).judgement);
});
