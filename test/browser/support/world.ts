/**
 * A fleet that never was, for the tests of the pages: series like those of the Linux inputs, with days and nights, an
 * incident, models. Everything follows from the time and a series' place, so that two looks see the same.
 */
import { createHash } from 'node:crypto';
import type { AgentFlag, AgentState, ModelVersion } from '../../../central/api.ts';
import type { LatestSeries, SeriesColumns, StoredIncident, TableSeries } from '../../../central/store/store.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../shared/limits.ts';
import { canonicalSeriesBytes } from '../../../shared/series.ts';

export interface WorldSeries extends TableSeries {
  /** Mean over the day, and how far days and noise move it. */
  readonly level: number;
  readonly swing: number;
}

const ssd = { 'system.device': 'nvme0n1' };
const root = {
  'system.device': '/dev/nvme0n1p2',
  'system.filesystem.mountpoint': '/',
  'system.filesystem.type': 'ext4',
};
const data = { 'system.device': '/dev/sda1', 'system.filesystem.mountpoint': '/data', 'system.filesystem.type': 'xfs' };
const GiB = 2 ** 30;

/** name, unit, attributes, level, swing */
type Row = readonly [string, string, Readonly<Record<string, string>>, number, number];

/** Days until a filesystem is full. */
function forecast(of: Readonly<Record<string, string>>, days: Readonly<Record<string, number>>): Row[] {
  return Object.entries(days).map(([edge, day]) => [
    'picket.forecast.time_to_full',
    's',
    { ...of, 'picket.forecast.metric': 'system.filesystem.utilization', 'picket.forecast.edge': edge },
    (day * DAY_MS) / 1000,
    0,
  ]);
}

function rows(): Row[] {
  const modes: readonly (readonly [string, number, number])[] = [
    ['user', 0.16, 0.09],
    ['system', 0.06, 0.03],
    ['iowait', 0.015, 0.012],
    ['nice', 0.004, 0.004],
    ['interrupt', 0.006, 0.003],
    ['steal', 0.002, 0.002],
    ['idle', 0.75, 0.12],
  ];
  const cores = ['0', '1', '2', '3'];
  const found: Row[] = modes.map(([mode, level, swing]) => [
    'system.cpu.utilization',
    '1',
    { 'cpu.mode': mode },
    level,
    swing,
  ]);
  for (const core of cores) {
    for (const [mode, level, swing] of modes) {
      found.push(['system.cpu.utilization', '1', { 'cpu.logical_number': core, 'cpu.mode': mode }, level, swing * 1.4]);
    }
  }
  found.push(
    ['system.cpu.load_average.1m', '{thread}', {}, 1.1, 0.6],
    ['system.cpu.load_average.5m', '{thread}', {}, 1, 0.4],
    ['system.cpu.load_average.15m', '{thread}', {}, 0.9, 0.2],
    ['system.cpu.frequency', 'Hz', {}, 2.6e9, 3e8],
    ['system.linux.context_switches', '{switch}/s', {}, 5200, 1800],
    ['system.linux.interrupts', '{interrupt}/s', {}, 2100, 600],
    ['system.linux.tasks', '{task}', { state: 'running' }, 2, 1.5],
    ['system.linux.tasks', '{task}', { state: 'blocked' }, 0.1, 0.1],
    ['system.linux.pressure.stall', '1', { resource: 'cpu', tasks: 'some' }, 0.02, 0.015],
    ['system.linux.pressure.stall', '1', { resource: 'memory', tasks: 'some' }, 0.001, 0.001],
    ['system.linux.pressure.stall', '1', { resource: 'io', tasks: 'some' }, 0.03, 0.02],
    ['system.linux.pressure.stall', '1', { resource: 'io', tasks: 'full' }, 0.02, 0.015],
    ['system.memory.limit', 'By', {}, 16 * GiB, 0],
    ['system.memory.utilization', '1', { 'system.memory.state': 'used' }, 0.46, 0.06],
    ['system.memory.usage', 'By', { 'system.memory.state': 'used' }, 7.4 * GiB, GiB],
    ['system.memory.usage', 'By', { 'system.memory.state': 'cached' }, 5.2 * GiB, 0.6 * GiB],
    ['system.memory.usage', 'By', { 'system.memory.state': 'buffers' }, 0.4 * GiB, 0.05 * GiB],
    ['system.memory.usage', 'By', { 'system.memory.state': 'free' }, 3 * GiB, GiB],
    ['system.linux.memory.available', 'By', {}, 8.1 * GiB, GiB],
    ['system.linux.memory.dirty', 'By', {}, 3e6, 2e6],
    ['system.paging.faults', '{fault}/s', {}, 900, 500],
    ['system.disk.io', 'By/s', { ...ssd, 'disk.io.direction': 'read' }, 1.2e6, 1e6],
    ['system.disk.io', 'By/s', { ...ssd, 'disk.io.direction': 'write' }, 4.1e6, 3e6],
    ['system.disk.operations', '{operation}/s', { ...ssd, 'disk.io.direction': 'read' }, 60, 40],
    ['system.disk.operations', '{operation}/s', { ...ssd, 'disk.io.direction': 'write' }, 180, 90],
    ['system.disk.operation_latency', 's', { ...ssd, 'disk.io.direction': 'read' }, 0.0007, 0.0003],
    ['system.disk.operation_latency', 's', { ...ssd, 'disk.io.direction': 'write' }, 0.0031, 0.002],
    ['system.disk.io_time', '1', ssd, 0.14, 0.08],
    ['system.disk.queue', '1', ssd, 0.4, 0.3],
    ['system.filesystem.utilization', '1', root, 0.63, 0.002],
    ['system.filesystem.utilization', '1', data, 0.31, 0.001],
    ...forecast(data, { expected: 3.1, earliest: 2.2, latest: 4.8 }),
    ['system.filesystem.usage', 'By', { ...root, 'system.filesystem.state': 'used' }, 290 * GiB, GiB],
    ['system.filesystem.usage', 'By', { ...root, 'system.filesystem.state': 'free' }, 170 * GiB, GiB],
    ['system.process.count', '{process}', { 'process.status': 'running' }, 2, 1],
    ['system.process.count', '{process}', { 'process.status': 'sleeping' }, 168, 6],
    ['system.process.created', '{process}/s', {}, 3, 2],
    ['system.linux.thread.count', '{thread}', {}, 640, 30],
    ['system.linux.file_handles.count', '{file}', {}, 3100, 160],
    ['system.uptime', 's', {}, 1.3e6, 0],
    ['hw.temperature', 'Cel', { 'hw.id': 'coretemp/temp1', 'hw.name': 'Package id 0', 'hw.parent': 'coretemp' }, 51, 6],
    ['hw.temperature', 'Cel', { 'hw.id': 'nvme/temp1', 'hw.name': 'Composite', 'hw.parent': 'nvme' }, 41, 3],
    ['hw.fan.speed', 'rpm', { 'hw.id': 'nct/fan1', 'hw.name': 'fan1', 'hw.parent': 'nct6775' }, 1180, 90],
    ['pump.pressure', 'bar', { device: 'pump-plc' }, 4.2, 0.3],
    ['pump.flow', 'm3/h', { device: 'pump-plc' }, 31, 4],
    ['picket.input.duration', 's', { input: 'cpu' }, 0.0003, 0.0001],
    ['picket.input.duration', 's', { input: 'disk' }, 0.0005, 0.0002],
  );
  for (const name of ['eth0', 'wlan0']) {
    for (const direction of ['receive', 'transmit']) {
      const attributes = { 'network.interface.name': name, 'network.io.direction': direction };
      found.push(['system.network.io', 'By/s', attributes, name === 'eth0' ? 2.4e6 : 9e3, 1.4e6]);
      found.push(['system.network.packets', '{packet}/s', attributes, name === 'eth0' ? 2600 : 20, 900]);
      found.push(['system.network.errors', '{error}/s', attributes, 0, 0]);
    }
  }
  return found;
}

export const worldSeries: readonly WorldSeries[] = rows().map(([name, unit, attributes, level, swing]) => {
  const key = { name, unit, attributes };
  const id = createHash('sha256').update(canonicalSeriesBytes(key)).digest('hex').slice(0, 16);
  return { id, ...key, level, swing };
});

export function seriesNamed(name: string, attributes: Readonly<Record<string, string>> = {}): WorldSeries {
  const found = worldSeries.find(
    (one) =>
      one.name === name &&
      Object.keys(attributes).every((key) => one.attributes[key] === attributes[key]) &&
      Object.keys(one.attributes).every((key) => key in attributes || key !== 'cpu.logical_number'),
  );
  if (found === undefined) throw new Error(`the world has no ${name}`);
  return found;
}

/** A number from 0 to 1 that looks like chance and is always the same. */
function chance(a: number, b: number): number {
  let x = (Math.imul(a | 0, 0x9e3779b1) ^ Math.imul(b | 0, 0x85ebca6b)) >>> 0;
  x ^= x >>> 15;
  x = Math.imul(x, 0x2c1b3c6d) >>> 0;
  x ^= x >>> 12;
  return (x >>> 0) / 2 ** 32;
}

export class World {
  readonly startMs: number;
  /** Between these the CPU does what it never did. */
  readonly spike: { readonly fromMs: number; readonly toMs: number };

  constructor(nowMs: number) {
    this.startMs = nowMs - 8 * DAY_MS;
    this.spike = { fromMs: nowMs - 6 * MINUTE_MS, toMs: nowMs - 2 * MINUTE_MS };
  }

  expected(series: WorldSeries, ms: number): number {
    const day = Math.sin(((ms % DAY_MS) / DAY_MS) * 2 * Math.PI - 1);
    return series.level + series.swing * 0.5 * day;
  }

  value(series: WorldSeries, ms: number): number {
    const place = Number.parseInt(series.id.slice(0, 7), 16);
    const second = Math.floor(ms / 1000);
    const slow = chance(place, Math.floor(second / 20)) - 0.5;
    const noise = chance(place, second) - 0.5;
    let value = this.expected(series, ms) + series.swing * (0.5 * slow + 0.5 * noise);
    if (series.name === 'system.cpu.utilization' && ms >= this.spike.fromMs && ms < this.spike.toMs) {
      const mode = series.attributes['cpu.mode'];
      if (mode === 'user') value += 0.62;
      if (mode === 'idle') value -= 0.62;
    }
    if (series.name === 'system.uptime') value = (ms - this.startMs) / 1000;
    return series.level >= 0 ? Math.max(0, value) : value;
  }

  window(series: WorldSeries, endMs: number, lengthMs: number) {
    const step = lengthMs / 12;
    const values = Array.from({ length: 12 }, (_, i) => this.value(series, endMs - lengthMs + i * step));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const inSpike = endMs > this.spike.fromMs && endMs - lengthMs < this.spike.toMs;
    const odd =
      inSpike && series.name === 'system.cpu.utilization' && /user|idle/.test(series.attributes['cpu.mode'] ?? '');
    return { mean, min: Math.min(...values), max: Math.max(...values), last: values.at(-1)!, share: odd ? 0.8 : 0 };
  }

  columns(id: string, fromMs: number, toMs: number, lengthMs: number): SeriesColumns | null {
    const series = worldSeries.find((one) => one.id === id);
    if (series === undefined) return null;
    const firstMs = Math.ceil(Math.max(fromMs, this.startMs) / lengthMs) * lengthMs;
    const count = Math.max(0, Math.floor((toMs - firstMs) / lengthMs) + 1);
    const column = () => new Float64Array(count);
    const out = {
      series: id,
      timesMs: column(),
      lengthsMs: column().fill(lengthMs),
      count: column().fill(lengthMs / 1000),
      mean: column(),
      deviation: column(),
      min: column(),
      max: column(),
      last: column(),
      anomalyShare: column(),
      highestScore: column(),
    };
    for (let i = 0; i < count; i++) {
      const endMs = firstMs + i * lengthMs;
      const window = this.window(series, endMs, lengthMs);
      out.timesMs[i] = endMs;
      out.mean[i] = window.mean;
      out.min[i] = window.min;
      out.max[i] = window.max;
      out.last[i] = window.last;
      out.anomalyShare[i] = window.share;
    }
    return out;
  }

  latest(nowMs: number): LatestSeries[] {
    const endMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
    return worldSeries.map(({ level, swing, ...series }) => {
      const window = this.window({ level, swing, ...series }, endMs, MINUTE_MS);
      const { mean, min, max, last, share } = window;
      return { ...series, timeMs: endMs, mean, min, max, last, anomalyShare: share, highestScore: share * 30 };
    });
  }

  incident(agent: string, state: 'open' | 'closed', openedMs = this.spike.fromMs, seq = 17): StoredIncident {
    const user = seriesNamed('system.cpu.utilization', { 'cpu.mode': 'user' });
    const idle = seriesNamed('system.cpu.utilization', { 'cpu.mode': 'idle' });
    const load = seriesNamed('system.cpu.load_average.1m');
    const finding = (series: WorldSeries, seen: number, low: number, high: number, share: number, text: string) => ({
      series: series.id,
      key: { name: series.name, unit: series.unit, attributes: series.attributes },
      detector: 'surprise',
      tier: 'full' as const,
      sinceMs: openedMs + 10_000,
      lastMs: openedMs + 4 * MINUTE_MS,
      seen,
      expectedLow: low,
      expectedHigh: high,
      bits: 22,
      returnPeriodMs: 2 ** 22 * 1000,
      contribution: share,
      text,
    });
    return {
      agent,
      epoch: 'e'.repeat(32),
      seq,
      revision: 3,
      state,
      severity: state === 'open' ? 'critical' : 'warning',
      openedMs,
      updatedMs: openedMs + 4 * MINUTE_MS,
      closedMs: state === 'open' ? null : openedMs + 5 * MINUTE_MS,
      title:
        'CPU utilisation (user) 79 %, expected 9–23 %; rarer than once in 48 days; since 14:02:10; and 2 more series',
      findings: [
        finding(user, 0.79, 0.09, 0.23, 0.61, 'CPU utilisation (user) 79 %, expected 9–23 %'),
        finding(idle, 0.12, 0.64, 0.83, 0.28, 'CPU utilisation (idle) 12 %, expected 64–83 %'),
        {
          ...finding(load, 4.9, 0.4, 1.9, 0.11, 'load average (1 min) 4.9, expected 0.4–1.9'),
          sinceMs: openedMs + 18_000,
          shape: 'shift',
        },
      ],
      more: 2,
      changes: [
        { atMs: openedMs + 4_000, kind: 'process', text: 'stress-ng started (PID 4711)' },
        { atMs: openedMs - 3 * MINUTE_MS, kind: 'link', text: 'link (eth0) went from down to up' },
      ],
      notify: { wakes: state === 'open', reason: state === 'open' ? 'budget' : 'rarity', cost: 1, perWeek: 0.004 },
      excessBits: 9,
    };
  }

  /** A rule, a forecast and a group of series: what explains itself in other ways than by an expected range. */
  otherIncident(agent: string, openedMs = this.spike.fromMs - HOUR_MS): StoredIncident {
    const disk = seriesNamed('system.filesystem.utilization', data);
    const user = seriesNamed('system.cpu.utilization', { 'cpu.mode': 'user' });
    const load = seriesNamed('system.cpu.load_average.1m');
    const keyOf = ({ name, unit, attributes }: WorldSeries) => ({ name, unit, attributes });
    const plain = (series: WorldSeries) => ({
      series: series.id,
      key: keyOf(series),
      tier: 'full' as const,
      sinceMs: openedMs,
      lastMs: openedMs + MINUTE_MS,
      expectedLow: null,
      expectedHigh: null,
      bits: 0,
      returnPeriodMs: 0,
    });
    const group = createHash('sha256').update('group').digest('hex').slice(0, 16);
    return {
      agent,
      epoch: 'e'.repeat(32),
      seq: 23,
      revision: 1,
      state: 'open',
      severity: 'warning',
      openedMs,
      updatedMs: openedMs,
      closedMs: null,
      title: 'Little space is left on /data: 96 %, limit 95 %; since 13:02:10; and 2 more series',
      findings: [
        {
          ...plain(disk),
          detector: 'rule',
          seen: 0.96,
          contribution: 0.6,
          text: 'Little space is left on /data: 96 %, limit 95 %',
          rule: 'disk-space',
          limit: 0.95,
          severity: 'warning',
          wrong: 'little space is left on /data',
          advice: 'Delete what is not needed, or grow the disk.',
          holds: true,
        },
        {
          ...plain(disk),
          detector: 'forecast',
          seen: 0.96,
          contribution: 0.3,
          text: 'filesystem utilisation (/data) 96 %: full in 3 days',
          forecast: {
            reaches: 'full',
            bound: 1,
            etaMs: openedMs + 3 * DAY_MS,
            earliestMs: openedMs + 2 * DAY_MS,
            latestMs: openedMs + 6 * DAY_MS,
            perDay: 0.013,
            pace: '1.2 GiB a day',
          },
          holds: true,
        },
        {
          ...plain(load),
          series: group,
          key: { name: 'picket.group', unit: '', attributes: { group: 'machine' } },
          detector: 'group',
          seen: null,
          bits: 31,
          returnPeriodMs: 2 ** 31 * 1000,
          contribution: 0.1,
          text: 'do not fit together',
          members: [
            { series: user.id, key: keyOf(user), share: 0.58, seen: 0.41, expectedLow: 0.09, expectedHigh: 0.23 },
            { series: load.id, key: keyOf(load), share: 0.31, seen: 0.2, expectedLow: 0.4, expectedHigh: 1.9 },
          ],
          ended: true,
        },
      ],
      more: 0,
      notify: { wakes: true, reason: 'outside', cost: 0, perWeek: null },
    };
  }
}

const roles = ['pump', 'press', 'gateway', 'camera', 'line'] as const;
const sites = ['north', 'south', 'harbour', ''] as const;

export function worldAgents(count: number, nowMs: number): AgentState[] {
  return Array.from({ length: count }, (_, i): AgentState => {
    const role = roles[i % roles.length]!;
    const offline = i % 17 === 5;
    return {
      id: `${role}-${i + 1}`,
      name: `${role}-${i + 1}`,
      site: sites[i % sites.length]!,
      tags: { role, ...(i % 3 === 0 && { rack: String(1 + (i % 7)) }) },
      enrolledMs: nowMs - 8 * DAY_MS,
      retiredMs: i % 101 === 100 ? nowMs - DAY_MS : null,
      presence: offline ? 'offline' : i % 41 === 20 ? 'unknown' : 'online',
      lastSeenMs: offline ? nowMs - 3 * HOUR_MS - i * MINUTE_MS : nowMs - 1000 - (i % 50) * 1000,
      pendingRecords: offline ? 400 + i : i % 9 === 0 ? 3 : 0,
      openIncidents: i % 23 === 0 ? 1 : 0,
      flags: i === 1 ? [worldFlag(nowMs)] : [],
      reported: {
        agentVersion: '0.1.0',
        manifestVersion: 7,
        applied: [],
        supports: [{ kind: 'model/seasonal', major: 1, featureVersion: 1 }],
        refusals: [],
        commandsDone: [],
        health: {
          'picket.budget.findings.allowed': 1,
          'picket.budget.findings.spent': 0.43,
          'picket.budget.notifications.allowed': 0.9,
          'picket.budget.notifications.spent': 1,
          'picket.budget.notifications.refused': 0,
        },
        warnings: [],
      },
      modelVersion: i % 11 === 3 ? null : 7,
      desiredVersion: i % 13 === 4 ? 8 : 7,
      vitals: {
        cpu: chance(i, 1) ** 2,
        memory: 0.2 + 0.75 * chance(i, 2),
        disk: 0.1 + 0.88 * chance(i, 3),
        load1: 4 * chance(i, 4) ** 2,
      },
    };
  });
}

function worldFlag(nowMs: number): AgentFlag {
  return {
    id: 'clone-cccccccccccccccc',
    kind: 'clone',
    sinceMs: nowMs - 20 * MINUTE_MS,
    parent: 'a'.repeat(32),
    epochs: [
      { epoch: 'b'.repeat(32), boot: '2'.repeat(32), firstMs: nowMs - 4 * HOUR_MS },
      { epoch: 'c'.repeat(32), boot: '3'.repeat(32), firstMs: nowMs - 21 * MINUTE_MS },
    ],
    text: 'Two machines use this identity: both go on from the same disk, as after copying an SD card.',
    advice: 'Enrol one of them anew: stop its agent, empty its data directory, and paste a new command there.',
  };
}

export function worldModel(agent: string, version: number, nowMs: number): ModelVersion {
  const figures = (coverage: number, pinball: number, findingsPerDay: number) => ({
    coverage,
    pinball,
    findingsPerDay,
  });
  return {
    version,
    kind: 'seasonal',
    agent,
    trainedMs: nowMs - (8 - version) * HOUR_MS,
    fromMs: nowMs - 7 * DAY_MS,
    toMs: nowMs - (8 - version) * HOUR_MS,
    series: worldSeries.length,
    releaseSha256: createHash('sha256').update(`${agent} ${version}`).digest('hex'),
    contentSha256: createHash('sha256').update(`content ${agent} ${version}`).digest('hex'),
    contentBytes: 18_400 + version,
    state: version === 7 ? 'applied' : version === 6 ? 'rejected' : 'superseded',
    reason:
      version === 6
        ? 'Its band covers 97.1 % of the held-out windows, but its loss is 4 % above that of version 5.'
        : 'Its loss is 12 % below that of the version before, and its band covers 98.7 % of the held-out windows.',
    window: {
      fromMs: nowMs - 7 * DAY_MS,
      toMs: nowMs - (8 - version) * HOUR_MS,
      expectedMinutes: 10_080,
      presentMinutes: 9_000,
      lateMinutes: version === 7 ? 240 : 0,
    },
    evaluation: {
      heldOutFromMs: nowMs - 20 * HOUR_MS,
      heldOutToMs: nowMs - 8 * HOUR_MS,
      windows: 720,
      challenger: figures(0.987, 0.212, 0.4),
      champion: figures(0.961, 0.241, 0.9),
    },
  };
}
