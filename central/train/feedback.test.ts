/**
 * What operators say changes what the next model finds: by the real round of training and the real detector, on a made
 * history of five machines' worth of series, with a job that runs now and then at night and faults that are injected.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { ModelStage } from '../../agent/models.ts';
import { utcZone } from '../../shared/detect/civil.ts';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { type SeasonalParams, seasonal } from '../../shared/detect/seasonal.ts';
import type { Incident, RankedFinding } from '../../shared/findings.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { history, seededNormal, seededRandom } from '../../test/support/history.ts';
import { HistoryStore } from '../../test/support/learning.ts';
import type { Verdict } from '../feedback/api.ts';
import { Labels } from '../feedback/labels.ts';
import { Maintenance } from '../feedback/maintenance.ts';
import type { StoredIncident } from '../store/store.ts';
import { type KnowledgeSource, knowledgeOf } from './knowledge.ts';
import { type Champion, type RoundResult, trainRound } from './round.ts';
import { seasonalModels } from './seasonal-kind.ts';

const kind = seasonalModels[0]!;
const training = { windowMs: MINUTE_MS, zone: utcZone, findingsPerDay: 1 };
/** A Monday. */
const fromMs = 4 * DAY_MS;
const LEARNED_DAYS = 10;
const ids = Array.from({ length: 6 }, (_, i) => String(i + 1).padStart(16, '0'));
/** The job's series; it comes at half past two, on these days, for twenty minutes. */
const jobSeries = ids[0]!;
const learnedJobs = [2, 7];
const laterJobs = [11, 14, 15];
const EPOCH = 'e'.repeat(32);

function isJob(endMs: number): boolean {
  const day = Math.floor((endMs - fromMs) / DAY_MS);
  const minute = ((endMs - fromMs) % DAY_MS) / MINUTE_MS;
  return [...learnedJobs, ...laterJobs].includes(day) && minute > 150 && minute <= 170;
}

/** Days of a machine: busy by day, its own level for each series. */
function days(seed: number, firstDay: number, count: number, jobs = true) {
  const normal = seededNormal(seed);
  return ids.map((series, k) =>
    history({ series, windows: count * 1440, fromMs: fromMs + firstDay * DAY_MS, spread: 1 }, (endMs) => {
      const usual = 40 + 10 * k + 8 * Math.sin((endMs / DAY_MS) * 2 * Math.PI) + 2 * normal();
      return jobs && series === jobSeries && isJob(endMs) ? usual + 45 : usual;
    }),
  );
}

/** The incident that an agent made of the job, when it came for the first time or the second. */
function jobIncident(agent: string, which: 0 | 1 = 0): StoredIncident {
  const openedMs = fromMs + learnedJobs[which]! * DAY_MS + 151 * MINUTE_MS;
  const closedMs = openedMs + 40 * MINUTE_MS;
  const finding: RankedFinding = {
    series: jobSeries,
    key: { name: 'test.series', unit: '1', attributes: {} },
    detector: 'seasonal',
    tier: 'window',
    sinceMs: openedMs,
    lastMs: openedMs + 18 * MINUTE_MS,
    seen: 90,
    expectedLow: 38,
    expectedHigh: 50,
    bits: 20,
    returnPeriodMs: 1e9,
    contribution: 1,
    text: '',
  };
  const about = { severity: 'warning', title: 'busy', findings: [finding], more: 0 } as const;
  const incident: Incident = {
    epoch: EPOCH,
    seq: which + 1,
    revision: 2,
    state: 'closed',
    openedMs,
    updatedMs: closedMs,
    closedMs,
    ...about,
  };
  return { ...incident, agent };
}

class Trial {
  readonly store = new HistoryStore();
  readonly incidents: StoredIncident[] = [jobIncident('m1'), jobIncident('m1', 1)];
  readonly labels: Labels;
  readonly source: KnowledgeSource;
  today = LEARNED_DAYS;

  constructor() {
    const nowMs = (): number => fromMs + this.today * DAY_MS;
    const incidents = async (query: { agent?: string }) => this.incidents.filter(({ agent }) => agent === query.agent);
    this.labels = new Labels({ store: { incidents, documents: this.store.documents }, nowMs });
    const maintenance = new Maintenance({ documents: this.store.documents, siteOf: () => '', nowMs });
    const store = { incidents, coverage: async () => [] };
    this.source = { store, labels: this.labels, maintenance, cohortOf: () => ['m1', 'm2'] };
  }

  async train(agent: string, blocks: ReturnType<typeof days>): Promise<ReadonlyMap<string, SeasonalParams>> {
    this.store.blocks.set(agent, blocks);
    const round = await this.round(agent, null);
    expect(round).toMatchObject({ accepted: true });
    return kind.decode(round!.content);
  }

  round(agent: string, champion: Champion<SeasonalParams> | null): Promise<RoundResult | null> {
    return trainRound({
      store: this.store,
      agent,
      kind,
      training,
      champion,
      random: seededRandom(1),
      signal: new AbortController().signal,
      knowledge: (one, range) => knowledgeOf(this.source, one, range),
    });
  }

  label(verdict: Verdict): Promise<unknown> {
    return this.labels.label('m1', EPOCH, 1, { verdict, class: null, note: '', by: 'ann' });
  }
}

/** When each series was found to be unusual. */
function findings(model: ReadonlyMap<string, SeasonalParams>, blocks: ReturnType<typeof days>): [string, number][] {
  const out = emptyVerdict();
  const found: [string, number][] = [];
  for (const { series, timesMs, mean } of blocks) {
    const params = model.get(series)!;
    const state = seasonal.start(params);
    timesMs.forEach((utcMs, i) => {
      seasonal.score(params, state, mean.subarray(i, i + 1), Uint8Array.of(0), { monotonicMs: 0, utcMs }, out);
      if (out.finding) found.push([series, utcMs]);
    });
  }
  return found;
}

/** Spikes, shifts, drifts and unsteadiness of every series, at all hours but the job's; how many are found. */
function recall(model: ReadonlyMap<string, SeasonalParams>): number {
  const blocks = days(77, LEARNED_DAYS + 8, 4, false);
  const random = seededRandom(5);
  const normal = seededNormal(6);
  const faults: (readonly [string, number, number])[] = [];
  for (const block of blocks) {
    for (let at = 200; at + 200 < block.mean.length; at += 200) {
      const shape = Math.floor(random() * 4);
      const length = shape === 0 ? 3 : 60;
      if ((at % 1440) + length > 110 && at % 1440 < 210) continue;
      for (let i = 0; i < length; i++) {
        const off = [25, 22, (40 * i) / length, 18 * normal()][shape]!;
        block.mean[at + i] = block.mean[at + i]! + off;
      }
      faults.push([block.series, block.timesMs[at]!, block.timesMs[at + length - 1]!]);
    }
  }
  const found = findings(model, blocks);
  const hits = faults.filter(([series, from, to]) => found.some(([id, ms]) => id === series && ms >= from && ms <= to));
  expect(faults.length).toBeGreaterThan(100);
  return hits.length / faults.length;
}

const atJob = (found: readonly [string, number][]): number =>
  new Set(found.filter(([, ms]) => isJob(ms)).map(([, ms]) => Math.floor(ms / DAY_MS))).size;

describe('a false alarm', { timeout: 60_000 }, () => {
  const learned = days(1, 0, LEARNED_DAYS);
  const later = days(2, LEARNED_DAYS, 8);
  let before: ReadonlyMap<string, SeasonalParams>;
  let after: ReadonlyMap<string, SeasonalParams>;

  beforeAll(async () => {
    const trial = new Trial();
    before = await trial.train('m1', learned);
    await trial.label('false_alarm');
    after = await trial.train('m1', learned);
  });

  test('comes no more after the next round, and nothing else comes instead', () => {
    expect(atJob(findings(before, later))).toBe(laterJobs.length);
    expect(atJob(findings(after, later))).toBe(0);
    const others = (model: typeof before): number => findings(model, later).filter(([, ms]) => !isJob(ms)).length;
    expect(others(after)).toBeLessThanOrEqual(others(before));
  });

  test('costs no fault that is held out: of no series and at no other hour', () => {
    const least = recall(before);
    expect(least).toBeGreaterThan(0.75);
    expect(recall(after)).toBeGreaterThanOrEqual(least);
  });

  test('hides no fault of four times its size in its own hour', () => {
    const worse = later.map((block) => ({
      ...block,
      mean: block.mean.map((value, i) =>
        block.series === jobSeries && isJob(block.timesMs[i]!) ? value + 135 : value,
      ),
    }));
    expect(atJob(findings(after, worse))).toBe(laterJobs.length);
  });

  test('is no news on another machine of the cohort either, to which it never came before', async () => {
    const trial = new Trial();
    const calm = days(3, 0, LEARNED_DAYS, false);
    const without = await trial.train('m2', calm);
    await trial.label('false_alarm');
    const taught = await trial.train('m2', calm);
    expect(atJob(findings(without, later))).toBe(laterJobs.length);
    expect(atJob(findings(taught, later))).toBe(0);
    expect(recall(taught)).toBeGreaterThanOrEqual(recall(without));
  });
});

describe('what is said while no new model is good enough', { timeout: 60_000 }, () => {
  const learned = days(1, 0, LEARNED_DAYS);
  /** Three days after it learned nothing is as it was, three more it is again: who learns of them is worse. */
  const disturbed = days(1, 0, LEARNED_DAYS + 6);
  const normal = seededNormal(8);
  for (const { timesMs, mean } of disturbed) {
    timesMs.forEach((ms, i) => {
      const day = (ms - fromMs) / DAY_MS;
      if (day > LEARNED_DAYS && day <= LEARNED_DAYS + 3) mean[i] = mean[i]! + 15 * normal();
    });
  }
  const trial = new Trial();
  let champion: Champion<SeasonalParams>;
  let taught: RoundResult;

  beforeAll(async () => {
    const series = await trial.train('m1', learned);
    champion = { version: 7, toMs: fromMs + LEARNED_DAYS * DAY_MS, outdated: false, incomplete: false, series };
    trial.store.blocks.set('m1', disturbed);
    trial.today = LEARNED_DAYS + 6;
  });

  test('is sent with the running model, which is judged again', async () => {
    const untold = await trial.round('m1', champion);
    expect(untold!.accepted).toBe(false);
    await trial.label('false_alarm');
    taught = (await trial.round('m1', champion))!;
    expect(taught).toMatchObject({ accepted: true, toMs: champion.toMs, series: ids.length });
    expect(taught.reason).toMatch(
      /^It is model 7 with what operators said since\. .* A new one was refused\. Less sensitive/,
    );
    const later = days(2, LEARNED_DAYS, 8);
    const model = kind.decode(taught.content);
    expect(atJob(findings(champion.series, later))).toBe(laterJobs.length);
    expect(atJob(findings(model, later))).toBe(0);
    expect(recall(model)).toBeGreaterThanOrEqual(recall(champion.series));
    for (const [id, params] of model) expect(params.scale).toBe(champion.series.get(id)!.scale);
  });

  test('is sent once: where it is known already there is nothing new', async () => {
    const running = { ...champion, version: 8, series: kind.decode(taught.content) };
    const again = await trial.round('m1', running);
    expect(again!.accepted).toBe(false);
  });

  test('is not sent to a machine whose labels are withdrawn', async () => {
    await trial.labels.withdraw('m1', EPOCH, 1);
    expect((await trial.round('m1', champion))!.accepted).toBe(false);
  });
});

describe('a real one', { timeout: 60_000 }, () => {
  test('is not learned: what is like it is found as before', async () => {
    const trial = new Trial();
    const fault = days(1, 0, LEARNED_DAYS);
    await trial.label('real');
    const real = await trial.train('m1', fault);
    expect(real.get(jobSeries)!.allowances).toBeUndefined();
    expect(atJob(findings(real, days(2, LEARNED_DAYS, 8)))).toBe(laterJobs.length);
  });

  test('that lasted for two days leaves no mark in the model', async () => {
    const trial = new Trial();
    const begin = fromMs + 4 * DAY_MS;
    const end = begin + 2 * DAY_MS;
    const [fault, healthy] = [days(1, 0, LEARNED_DAYS, false), days(1, 0, LEARNED_DAYS, false)];
    fault[0]!.timesMs.forEach((ms, i) => {
      if (ms > begin && ms <= end) fault[0]!.mean[i] = fault[0]!.mean[i]! + 60;
    });
    const findings = jobIncident('m1').findings.map((one) => ({ ...one, sinceMs: begin, lastMs: end }));
    trial.incidents.length = 0;
    trial.incidents[0] = { ...jobIncident('m1'), openedMs: begin, closedMs: end, findings };
    const clean = (await trial.train('m1', healthy)).get(jobSeries)!;
    await trial.label('real');
    const left = (await trial.train('m1', fault)).get(jobSeries)!;
    await trial.label('false_alarm');
    const learned = (await trial.train('m1', fault)).get(jobSeries)!;
    const bound = (params: SeasonalParams): number => {
      const out = emptyVerdict();
      const at = { monotonicMs: 0, utcMs: fromMs + 20 * DAY_MS + 12 * HOUR_MS };
      seasonal.score(params, seasonal.start(params), Float64Array.of(40), Uint8Array.of(0), at, out);
      return out.expectedHigh;
    };
    expect(Math.abs(bound(left) - bound(clean))).toBeLessThan(1.5);
    expect(bound(learned)).toBeGreaterThan(bound(clean) + 20);
  });
});

describe('a false alarm of a group', { timeout: 60_000 }, () => {
  const [first, second, slight] = ids as [string, string, string];
  const bits = 30;

  /** What a group found at the job's time: nothing of it is out of its own range. */
  function together(sinceMs: number, change: Partial<RankedFinding> = {}): RankedFinding {
    const [finding] = jobIncident('m1').findings as [RankedFinding];
    const members = [first, second, slight].map((series, i) => ({
      series,
      key: finding.key,
      share: [0.5, 0.4, 0.1][i]!,
      seen: 50,
      expectedLow: 48,
      expectedHigh: 52,
    }));
    const found = {
      detector: 'group',
      tier: 'full',
      series: first,
      sinceMs,
      lastMs: sinceMs + 18 * MINUTE_MS,
    } as const;
    return { ...finding, ...found, bits, members, ...change };
  }

  async function trained(verdict: Verdict): Promise<Uint8Array> {
    const trial = new Trial();
    const incident = jobIncident('m1');
    trial.incidents.length = 0;
    trial.incidents[0] = { ...incident, findings: [together(incident.openedMs)] };
    await trial.label(verdict);
    return kind.encode(await trial.train('m1', days(1, 0, LEARNED_DAYS, false)), training);
  }

  function isUsual(content: Uint8Array, finding: RankedFinding): boolean {
    const definition = () => null;
    const series = { definition, id: () => first };
    const stage = new ModelStage({ limit: 1, windowMs: () => MINUTE_MS, series, onFinding: () => {} });
    stage.activate(kind.slot, content);
    return stage.isUsual(finding);
  }

  test('is usual after the next round at that time, whoever of those with a great part leads, and no worse one is', async () => {
    const content = await trained('false_alarm');
    const { openedMs } = jobIncident('m1');
    const later = openedMs + (laterJobs[0]! - learnedJobs[0]!) * DAY_MS;
    const led = (leader: string): Partial<RankedFinding> => {
      const { members = [] } = together(later);
      return { members: [...members].sort((a, b) => Number(b.series === leader) - Number(a.series === leader)) };
    };
    expect(isUsual(content, together(later))).toBe(true);
    expect(isUsual(content, together(later, led(second)))).toBe(true);
    expect(isUsual(content, together(later, led(slight)))).toBe(false);
    expect(isUsual(content, together(later, { bits: 2 * bits }))).toBe(false);
    expect(isUsual(content, together(later + 6 * HOUR_MS))).toBe(false);
  });

  test('that was real is learned by nobody', async () => {
    const content = await trained('real');
    expect(isUsual(content, together(jobIncident('m1').openedMs))).toBe(false);
  });
});
