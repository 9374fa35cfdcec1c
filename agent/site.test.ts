import { afterEach, expect, test, vi } from 'vitest';
import type { Incident } from '../shared/findings.ts';
import { type SiteLink, type SiteOptions, SiteStage } from './site.ts';

const T0 = Date.UTC(2026, 2, 2, 12);
const log = { debug() {}, info() {}, warn() {}, error() {} };

/** A broker that takes a message when the test says so. */
class Broker {
  connected = false;
  readonly got: { topic: string; retain: boolean; json: Record<string, unknown> }[] = [];
  readonly waiting: (() => void)[] = [];
  will!: Parameters<SiteOptions['connect']>[0];
  #onConnected!: () => void;
  takes = true;

  readonly connect: SiteOptions['connect'] = (will, connected): SiteLink => {
    this.will = will;
    this.#onConnected = connected;
    const broker = this;
    return {
      get connected() {
        return broker.connected;
      },
      publish: async (topic, payload, { retain = false }) => {
        if (!this.takes) throw new Error('not connected');
        this.got.push({ topic, retain, json: JSON.parse(Buffer.from(payload).toString()) });
      },
      close: async (last) => {
        if (last !== undefined) this.got.push({ topic: last.topic, retain: true, json: JSON.parse(`${last.payload}`) });
      },
    };
  };

  comes(): void {
    this.connected = true;
    this.#onConnected();
  }
}

const stages: SiteStage[] = [];
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage.close();
});

function start(open: readonly Incident[] = []): { broker: Broker; site: SiteStage } {
  const broker = new Broker();
  const about = { prefix: 'picket/site', name: 'press-4', version: '1.0.0', wallMs: () => T0, log, open };
  const site = new SiteStage({ ...about, connect: broker.connect });
  stages.push(site);
  return { broker, site };
}

function incident(seq: number, over: Partial<Incident> = {}): Incident {
  const about = { epoch: 'a'.repeat(32), seq, revision: 1, state: 'open', severity: 'warning' } as const;
  const times = { openedMs: T0, updatedMs: T0, closedMs: null };
  return { ...about, ...times, title: `trouble ${seq}`, findings: [], more: 0, ...over };
}

test('says its state when it connects, keeps it on the broker, and leaves a will', async () => {
  const { broker } = start([incident(1, { severity: 'critical' })]);
  broker.comes();
  await vi.waitFor(() => expect(broker.got).toHaveLength(1));
  expect(broker.got[0]).toEqual({
    topic: 'picket/site/press-4/state',
    retain: true,
    json: {
      machine: 'press-4',
      online: true,
      severity: 'critical',
      open: 1,
      incidents: [
        { id: `${'a'.repeat(32)}-1`, severity: 'critical', title: 'trouble 1', openedAt: '2026-03-02T12:00:00.000Z' },
      ],
      dropped: 0,
      version: '1.0.0',
      at: '2026-03-02T12:00:00.000Z',
    },
  });
  const will = JSON.parse(Buffer.from(broker.will.payload()).toString());
  expect([broker.will.topic, will.online]).toEqual(['picket/site/press-4/state', false]);
});

test('an incident comes once for each revision, then the state as it is', async () => {
  const { broker, site } = start();
  broker.comes();
  site.incident(incident(1));
  await vi.waitFor(() => expect(broker.got.at(-1)?.json.open).toBe(1));
  site.incident(incident(1, { revision: 2, state: 'closed', closedMs: T0 + 5_000 }));
  await vi.waitFor(() => expect(broker.got.at(-1)?.json).toMatchObject({ open: 0, severity: 'ok' }));
  const incidents = broker.got.filter(({ topic }) => topic.endsWith('/incident'));
  expect(incidents.map(({ json, retain }) => [json.revision, json.state, json.closedAt, retain])).toEqual([
    [1, 'open', null, false],
    [2, 'closed', '2026-03-02T12:00:05.000Z', false],
  ]);
});

test('without a broker nothing waits but the latest of each incident, and no more than 64', async () => {
  const { broker, site } = start();
  for (let seq = 1; seq <= 100; seq++) {
    site.incident(incident(seq));
    site.incident(incident(seq, { revision: 2, state: 'closed', closedMs: T0 }));
  }
  broker.comes();
  await vi.waitFor(() => expect(broker.got).toHaveLength(65));
  expect(broker.got.slice(0, -1).map(({ json }) => json.title)).toEqual(
    Array.from({ length: 64 }, (_, i) => `trouble ${i + 37}`),
  );
  expect(broker.got.at(-1)!.json).toMatchObject({ dropped: 36, open: 0 });
});

test('what could not be sent is sent with the next connection', async () => {
  const { broker, site } = start();
  broker.takes = false;
  broker.comes();
  site.incident(incident(1));
  await new Promise((resolve) => setImmediate(resolve));
  broker.takes = true;
  broker.comes();
  await vi.waitFor(() => expect(broker.got.map(({ topic }) => topic)).toContain('picket/site/press-4/incident'));
});

test('times that are none, and many findings, are told bounded', async () => {
  const { broker, site } = start();
  broker.comes();
  const finding = {
    series: '0'.repeat(16),
    key: { name: 'm', unit: '', attributes: {} },
    detector: 'surprise',
    tier: 'full',
    sinceMs: Number.NaN,
    lastMs: T0,
    seen: Number.POSITIVE_INFINITY,
    expectedLow: null,
    expectedHigh: null,
    bits: 1,
    returnPeriodMs: 1,
    contribution: 1,
    text: 'x'.repeat(2_000),
  } as const;
  const findings = new Array(20).fill(finding);
  site.incident(incident(1, { findings, more: 3, openedMs: 1e300 }));
  await vi.waitFor(() => expect(broker.got.at(-1)?.json.open).toBe(1));
  const told = broker.got.find(({ topic }) => topic.endsWith('/incident'))!.json;
  expect(told).toMatchObject({ openedAt: null, more: 15 });
  expect((told.findings as unknown[])[0]).toMatchObject({ seen: null, since: null });
  expect(JSON.stringify(told).length).toBeLessThan(32_000);
});
