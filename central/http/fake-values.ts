/** A machine, a series, an incident and a model for the tests of the HTTP side. */

import type { AlertsView } from '../alerts/api.ts';
import type { AgentState, ModelVersion, MuteOrder } from '../api.ts';
import type { BudgetState } from '../budget/api.ts';
import type { ToldChange } from '../feedback/api.ts';
import type { CapacityForecast, SoonestEnd } from '../forecast/api.ts';
import type { KeysState } from '../keys/api.ts';
import type { LatestSeries, StoredIncident } from '../store/store.ts';

export const START_MS = Date.UTC(2026, 0, 1);
export const SERIES = '00112233aabbccdd';
export const EPOCH = 'e'.repeat(32);

export const someAgent: AgentState = {
  id: 'pump-7',
  name: 'Pump 7',
  site: 'north',
  tags: { line: 'b' },
  enrolledMs: START_MS,
  retiredMs: null,
  presence: 'online',
  lastSeenMs: START_MS,
  pendingRecords: 2,
  openIncidents: 1,
  flags: [
    {
      id: 'clone-eeeeeeeeeeeeeeee',
      kind: 'clone',
      sinceMs: START_MS,
      parent: 'a'.repeat(32),
      epochs: [
        { epoch: 'b'.repeat(32), boot: '1'.repeat(32), firstMs: START_MS },
        { epoch: EPOCH, boot: null, firstMs: START_MS },
      ],
      text: 'Two machines use this identity.',
      advice: 'Enrol one of them anew.',
    },
  ],
  reported: {
    agentVersion: '0.1.0',
    manifestVersion: 3,
    applied: [{ slot: 'model/seasonal', releaseSha256: 'ab'.repeat(32), appliedMs: START_MS }],
    supports: [{ kind: 'model/seasonal', major: 1, featureVersion: 1 }],
    refusals: [],
    commandsDone: [],
    health: { rss: Number.NaN },
    warnings: [],
    mutes: [
      {
        id: 'm1',
        rule: null,
        series: 'system.disk.*',
        reason: 'a new disk',
        by: 'ann on the machine',
        fromMs: START_MS,
        untilMs: START_MS + 7_200_000,
      },
    ],
  },
  modelVersion: 3,
  desiredVersion: null,
  vitals: { cpu: 0.25, memory: null, disk: null, load1: null },
};

export const someOrder: MuteOrder = {
  id: 'o1',
  madeMs: START_MS,
  endsMs: START_MS + 7_200_000,
  forMs: 7_200_000,
  rule: 'oom-kill',
  series: null,
  reason: '',
  by: 'admin at the central',
  state: 'waiting',
  problem: null,
  settledMs: null,
};

export const someSeries: LatestSeries = {
  id: SERIES,
  name: 'system.memory.usage',
  unit: 'By',
  attributes: { state: 'used' },
  timeMs: START_MS,
  mean: 10,
  min: 1,
  max: 20,
  last: 12,
  anomalyShare: 0,
  highestScore: Number.NaN,
};

export const someChange: ToldChange = {
  series: SERIES,
  key: { name: 'system.memory.usage', unit: 'By', attributes: { state: 'used' } },
  kind: 'scale',
  atMs: START_MS,
  factor: 1024,
  text: 'values are about 1024 times as large',
};

export const someIncident: StoredIncident = {
  agent: 'pump-7',
  epoch: EPOCH,
  seq: 17,
  revision: 1,
  state: 'open',
  severity: 'warning',
  openedMs: START_MS,
  updatedMs: START_MS,
  closedMs: null,
  title: 'Memory is unusual',
  findings: [
    {
      series: SERIES,
      key: { name: 'system.memory.usage', unit: 'By', attributes: { state: 'used' } },
      detector: 'surprise',
      tier: 'full',
      sinceMs: START_MS,
      lastMs: START_MS,
      seen: 20,
      expectedLow: 1,
      expectedHigh: 12,
      bits: 14,
      returnPeriodMs: 16_384_000,
      contribution: 1,
      text: '20 By, expected 1 to 12',
      intervalMs: 1000,
      shape: 'shift',
      members: [
        {
          series: SERIES,
          key: { name: 'system.memory.usage', unit: 'By', attributes: {} },
          share: 0.7,
          seen: 20,
          expectedLow: 1,
          expectedHigh: null,
        },
      ],
      forecast: {
        reaches: 'full',
        bound: 1,
        etaMs: START_MS + 1,
        earliestMs: START_MS,
        latestMs: null,
        perDay: 0.1,
        pace: '1 GiB a day',
        undated: true,
      },
      rule: 'memory',
      limit: 0.95,
      severity: 'warning',
      wrong: 'memory is short',
      advice: 'Add some.',
      ended: true,
      holds: true,
      muted: true,
    },
  ],
  more: 0,
  changes: [{ atMs: START_MS - 1000, kind: 'process', text: 'tar started' }],
  notify: { wakes: true, reason: 'budget', cost: 1, perWeek: 0.01 },
  excessBits: 4,
};

export const someModel: ModelVersion = {
  version: 3,
  kind: 'seasonal',
  agent: 'pump-7',
  trainedMs: START_MS,
  fromMs: START_MS - 1000,
  toMs: START_MS,
  series: 12,
  releaseSha256: 'ab'.repeat(32),
  contentSha256: 'cd'.repeat(32),
  contentBytes: 1234,
  state: 'applied',
  reason: 'better',
  evaluation: {
    heldOutFromMs: 1,
    heldOutToMs: 2,
    windows: 3,
    challenger: { coverage: 0.99, pinball: 0.1, findingsPerDay: 0.5 },
    champion: null,
  },
  window: { fromMs: START_MS - 60_000, toMs: START_MS, expectedMinutes: 10, presentMinutes: 7, lateMinutes: 2 },
};

export const someAlerts: AlertsView = {
  targets: [
    {
      name: 'on-call',
      kind: 'webhook',
      where: 'https://alerts.example',
      lastSuccessMs: START_MS,
      lastErrorMs: null,
      lastError: null,
      failures: 0,
      sent: 3,
      failed: 0,
      dropped: 0,
      waiting: 1,
      waitingSinceMs: START_MS,
      nextTryMs: null,
    },
  ],
  heartbeat: {
    where: 'https://hc.example',
    intervalMs: 300_000,
    lastSuccessMs: START_MS,
    lastErrorMs: null,
    problem: null,
  },
  problem: null,
  log: [
    {
      atMs: START_MS,
      target: 'on-call',
      what: 'opened',
      subject: 'Opened: warning, Pump',
      agent: 'pump-7',
      result: 'sent',
      answer: '200 OK',
    },
  ],
  contacts: [
    {
      agent: 'pump-7',
      name: 'Pump',
      site: 'Hall 3',
      lastSeenMs: START_MS,
      connected: false,
      overdueAfterMs: 600_000,
      usualMs: null,
      why: 'always',
      overdueMs: 1_000,
    },
  ],
};

export const someBudget: BudgetState = {
  notificationsPerWeek: 5,
  spentLastWeek: 2,
  refusedLastWeek: 1,
  agents: [
    {
      agent: someAgent.id,
      notificationsPerWeek: 4.5,
      appliedPerWeek: 4.5,
      spentLastWeek: 2,
      refusedLastWeek: 1,
      findingsPerDay: 1,
      findingsSpentPerDay: 0.4,
      barBits: 25.3,
    },
  ],
};

const someReached = { expectedMs: START_MS + 3e8, earliestMs: START_MS + 2e8, latestMs: null, by: 'hours' } as const;

export const someEnd: SoonestEnd = {
  agent: 'pump-7',
  series: SERIES,
  thing: 'File system /var',
  reaches: 'full',
  bound: 1,
  current: 0.8,
  reached: someReached,
};

export const someForecast: CapacityForecast = {
  series: SERIES,
  key: { name: 'system.filesystem.utilization', unit: '1', attributes: { 'system.filesystem.mountpoint': '/var' } },
  thing: 'File system /var',
  reaches: 'full',
  bound: 1,
  invert: false,
  whole: 1,
  madeMs: START_MS,
  current: 0.8,
  hours: {
    model: 'ARIMA(0,1,1) + drift',
    naive: false,
    mase: 0.5,
    naiveMase: 1,
    coverage90: 0.9,
    origins: 8,
    shifted: false,
    stepMs: 3_600_000,
    firstMs: START_MS + 3_600_000,
    fromMs: START_MS - 1e9,
    toMs: START_MS,
    measured: 270,
    missing: 7,
    value: [0.81, 0.82],
    low: [0.8, 0.8],
    high: [0.82, 0.84],
  },
  days: null,
  reached: someReached,
  agent: { expectedMs: START_MS + 3e8, earliestMs: null, latestMs: null },
  disagreement: null,
};

export const someKeys: KeysState = {
  version: 3,
  madeMs: START_MS,
  keys: [
    {
      role: 'rollout',
      keyid: '0123456789abcdef',
      publicKey: `${'A'.repeat(43)}=`,
      state: 'in force',
      here: true,
      notBeforeMs: null,
      notAfterMs: null,
      acceptedBy: 1,
    },
  ],
  machines: 2,
  behind: [{ agent: 'pump-7', version: 2 }],
  waiting: { list: false, releases: 0 },
};
