import { describe, expect, it } from 'vitest';
import type { Finding, Incident } from '../shared/findings.ts';
import { defaultTiming, IncidentStage } from './incidents.ts';

const START_MS = Date.UTC(2026, 6, 1, 12, 2, 10);
const EPOCH = 'ab'.repeat(16);

class Bench {
  readonly drafts: Incident[] = [];
  readonly revisions: Incident[] = [];
  readonly warnings: string[] = [];
  second = 0;
  failures = 0;
  readonly stage = new IncidentStage({
    log: { debug() {}, info() {}, warn: (_, text) => void this.warnings.push(text), error() {} },
    zone: () => 'Europe/Berlin',
    barBits: () => 24,
    open: (draft) => {
      this.drafts.push(draft);
      if (this.failures-- > 0) return Promise.reject(new Error('disk full'));
      return Promise.resolve({ epoch: EPOCH, seq: 7 });
    },
    revise: (incident) => void this.revisions.push(incident),
  });

  /** How far the idea of UTC moved. */
  movedMs = 0;

  at() {
    return { monotonicMs: 1e6 + this.second * 1000, utcMs: START_MS + this.movedMs + this.second * 1000 };
  }

  /** A finding that began `lastedSeconds` ago. */
  add(series: number, lastedSeconds: number, more: Partial<Finding> = {}): void {
    const { utcMs } = this.at();
    this.stage.add(
      {
        series: series.toString(16).padStart(16, '0'),
        key: { name: 'system.cpu.utilization', unit: '1', attributes: { 'cpu.mode': 'user' } },
        detector: 'surprise',
        tier: 'full',
        sinceMs: utcMs - lastedSeconds * 1000,
        lastMs: utcMs,
        seen: 0.98,
        expectedLow: 0.01,
        expectedHigh: 0.12,
        bits: 32,
        returnPeriodMs: 2 ** 32 * 1000,
        ...more,
      },
      this.at(),
    );
  }

  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      this.second++;
      this.stage.tick(this.at());
      await Promise.resolve();
      await Promise.resolve();
    }
  }
}

describe('IncidentStage', () => {
  it('makes nothing of one flash on one series', async () => {
    const bench = new Bench();
    bench.add(1, 0);
    await bench.pass(300);
    expect(bench.drafts).toEqual([]);
  });

  it('moves with the idea of UTC: one clock for all times of a revision, and none lasts longer for it', async () => {
    const bench = new Bench();
    bench.add(1, 4);
    await bench.pass(1);
    bench.movedMs = 50 * 365 * 86_400_000;
    bench.stage.moveTimes(bench.movedMs);
    await bench.pass(15);
    const [later] = bench.revisions;
    expect(later!.openedMs).toBe(START_MS - 4_000 + bench.movedMs);
    expect(later!.findings[0]).toMatchObject({ sinceMs: later!.openedMs, lastMs: START_MS + bench.movedMs });
    expect(later!.updatedMs).toBeGreaterThan(later!.openedMs);
  });

  it('opens once for what lasts, says it in words, and closes itself when it has been quiet', async () => {
    const bench = new Bench();
    bench.add(1, 4);
    await bench.pass(1);
    for (let i = 0; i < 5; i++) {
      bench.add(1, 5 + i * 10);
      await bench.pass(10);
    }
    await bench.pass(defaultTiming.quietMs / 1000 + 1);
    expect(bench.drafts.length).toBe(1);
    expect(bench.drafts[0]).toMatchObject({ epoch: '', seq: 0, revision: 1, state: 'open', closedMs: null });
    expect(bench.drafts[0]!.title).toBe(
      'CPU utilisation (user) 98 %, expected 1–12 %; rarer than once in 10 years; since 14:02:06',
    );
    const last = bench.revisions.at(-1)!;
    expect(last).toMatchObject({ epoch: EPOCH, seq: 7, state: 'closed' });
    expect(last.closedMs).toBe(last.findings[0]!.lastMs);
    expect(bench.revisions.map(({ revision }) => revision)).toEqual(bench.revisions.map((_, i) => i + 2));
    expect(bench.stage.current()).toEqual([]);
  });

  it('revises at most once in ten seconds', async () => {
    const bench = new Bench();
    for (let i = 0; i < 60; i++) {
      bench.add(1 + (i % 7), 5);
      await bench.pass(1);
    }
    expect(bench.revisions.length).toBeGreaterThanOrEqual(4);
    expect(bench.revisions.length).toBeLessThanOrEqual(6);
  });

  it('opens for many series at once, if that is more than one moment', async () => {
    const moment = new Bench();
    for (let i = 0; i < 6; i++) moment.add(i, 0);
    await moment.pass(60);
    expect(moment.drafts).toEqual([]);
    const spread = new Bench();
    for (let i = 0; i < 5; i++) {
      spread.add(i, 0);
      await spread.pass(1);
    }
    expect(spread.drafts.length).toBe(1);
    expect(spread.drafts[0]!.findings.length).toBe(5);
  });

  it.each(['missing', 'stuck'])('opens for %s data at once', (detector) => {
    const bench = new Bench();
    bench.add(1, 12, { detector, seen: detector === 'missing' ? null : 0.5, expectedLow: null, expectedHigh: null });
    expect(bench.drafts.length).toBe(1);
    const text = detector === 'missing' ? 'CPU utilisation (user): no value for 12 s' : 'stuck at 50 % for 12 s';
    expect(bench.drafts[0]!.title).toContain(text);
    expect(bench.drafts[0]!.severity).toBe('warning');
  });

  it('opens for a resource of which nothing is left, and tells since when', async () => {
    const bench = new Bench();
    const key = { name: 'system.cpu.utilization', unit: '1', attributes: { 'cpu.mode': 'idle' } };
    bench.add(1, 15, { detector: 'saturated', key, seen: 0, expectedLow: 0.6, expectedHigh: 0.98, bits: 9 });
    await bench.pass(1);
    expect(bench.drafts[0]!.title).toBe(
      'CPU utilisation (idle) 0 %, expected 60–98 %: at its limit for 15 s, longer than ever before; since 14:01:55',
    );
    const second = new Bench();
    second.add(1, 15, { detector: 'saturated', key, seen: 0, expectedLow: 0, expectedHigh: 0.98, bits: 9 });
    expect(second.drafts[0]!.title).toContain('CPU utilisation (idle) 0 %: at its limit');
  });

  it('is not opened by what was told only beside other findings, and ranks it after them', async () => {
    const bench = new Bench();
    for (let series = 1; series < 9; series++) bench.add(series, 20, { bits: 14 });
    expect(bench.drafts).toEqual([]);
    bench.add(9, 4, { bits: 26 });
    await bench.pass(1);
    expect(bench.drafts[0]!.findings.length).toBe(9);
    expect(bench.drafts[0]!.findings[0]!.bits).toBe(26);
  });

  it('ranks what came first and left the expected farthest, with shares that sum to one', async () => {
    const bench = new Bench();
    bench.add(1, 0, { bits: 30 });
    bench.add(2, 20, { bits: 30 });
    bench.add(3, 20, { bits: 60 });
    await bench.pass(11);
    const { findings } = bench.stage.current()[0]!;
    expect(findings.map(({ series }) => Number.parseInt(series, 16))).toEqual([3, 2, 1]);
    expect(findings.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(1, 9);
  });

  it('is bounded: twenty findings are listed, the rest is counted', async () => {
    const bench = new Bench();
    for (let i = 0; i < 1000; i++) bench.add(i, 5);
    await bench.pass(15);
    const incident = bench.stage.current()[0]!;
    expect(incident.findings.length).toBe(20);
    expect(incident.more).toBe(980);
    expect(JSON.stringify(incident).length).toBeLessThan(40_000);
  });

  it('tries again when the opening record could not be written', async () => {
    const bench = new Bench();
    bench.failures = 2;
    bench.add(1, 5);
    await bench.pass(30);
    expect(bench.drafts.length).toBe(3);
    expect(bench.warnings.length).toBe(2);
    expect(bench.stage.current()).toMatchObject([{ seq: 7 }]);
  });

  it.each([
    ['vital', 'system.memory.utilization', ['info', 'warning', 'critical']],
    ['usual', 'system.cpu.utilization', ['info', 'warning', 'warning']],
    ['curious', 'system.linux.interrupts', ['info', 'info', 'warning']],
  ])('grows graver with rarity, time and what is at stake: %s', async (_stake, name, severities) => {
    const bench = new Bench();
    const key = { name, unit: '1', attributes: {} };
    const said: string[] = [];
    bench.add(1, 5, { key, bits: 25 });
    said.push(bench.drafts[0]!.severity);
    bench.add(1, 6, { key, bits: 40 });
    await bench.pass(11);
    said.push(bench.revisions.at(-1)!.severity);
    for (let i = 0; i < 13; i++) {
      bench.add(1, 16 + 10 * i, { key, bits: 40 });
      await bench.pass(10);
    }
    said.push(bench.revisions.at(-1)!.severity);
    expect(said).toEqual(severities);
  });

  it('is not opened by what the agent feels itself, nor made graver', async () => {
    const bench = new Bench();
    const key = { name: 'picket.input.duration', unit: 's', attributes: {} };
    for (let i = 0; i < 20; i++) {
      bench.add(1, 5 + 10 * i, { key, bits: 90 });
      await bench.pass(10);
    }
    expect(bench.drafts).toEqual([]);
    bench.add(2, 5, { bits: 25 });
    await bench.pass(10);
    expect(bench.drafts[0]!.findings.map(({ bits }) => bits)).toEqual([25, 90]);
    expect(bench.drafts[0]!.severity).toBe('info');
  });

  it('goes on after a restart and closes what was open', async () => {
    const before = new Bench();
    before.add(1, 5);
    await before.pass(1);
    const after = new Bench();
    after.stage.resume(JSON.parse(JSON.stringify(before.stage.current()[0])) as Incident, after.at());
    await after.pass(100);
    expect(after.drafts).toEqual([]);
    expect(after.revisions.at(-1)).toMatchObject({ seq: 7, state: 'closed', revision: 2 });
  });
});
