/**
 * How Picket speaks of series and values: names of common metrics in words, units as people write them. English; pure.
 */
import type { SeriesKey } from '../series.ts';

/** What a metric is called, by its OpenTelemetry name; what is not here is told by its name. */
const words: Readonly<Record<string, string>> = {
  'hw.battery.charge': 'battery charge',
  'hw.fan.speed': 'fan speed',
  'hw.power': 'power',
  'hw.temperature': 'temperature',
  'hw.temperature.limit': 'critical temperature',
  'hw.voltage': 'voltage',
  'picket.agent.mute': 'what is muted',
  'process.cpu.utilization': 'process CPU utilisation',
  'process.memory.usage': 'process memory',
  'process.thread.count': 'process threads',
  'process.watched.count': 'watched process',
  'process.watched.pid': 'process number',
  'process.watched.restarts': 'process restarts',
  'process.watched.uptime': 'process running time',
  'system.cpu.frequency': 'CPU frequency',
  'system.cpu.load_average.1m': 'load average (1 min)',
  'system.cpu.load_average.5m': 'load average (5 min)',
  'system.cpu.load_average.15m': 'load average (15 min)',
  'system.cpu.utilization': 'CPU utilisation',
  'system.disk.io': 'disk throughput',
  'system.disk.io_time': 'disk busy time',
  'system.disk.operation_latency': 'disk latency',
  'system.disk.operation_time': 'disk operation time',
  'system.disk.operations': 'disk operations',
  'system.disk.pending_operations': 'pending disk operations',
  'system.disk.queue': 'disk queue',
  'system.filesystem.usage': 'filesystem usage',
  'system.filesystem.utilization': 'filesystem utilisation',
  'system.filesystem.mode': 'mode of the filesystem',
  'system.linux.context_switches': 'context switches',
  'system.linux.file_handles.count': 'open file handles',
  'system.linux.interrupts': 'interrupts',
  'system.linux.cpu.throttled': 'time held back for temperature',
  'system.linux.memory.oom_kills': 'processes killed for want of memory',
  'system.linux.memory.available': 'available memory',
  'system.linux.memory.dirty': 'memory waiting for the disk',
  'system.linux.pressure.stall': 'time stalled for',
  'system.linux.tasks': 'tasks',
  'system.linux.thread.count': 'threads',
  'system.linux.tcp.retransmits': 'TCP retransmissions',
  'system.linux.tcp.segments': 'TCP segments',
  'system.linux.udp.datagrams': 'UDP datagrams',
  'system.memory.usage': 'memory usage',
  'system.memory.utilization': 'memory utilisation',
  'system.network.connection.count': 'network connections',
  'system.network.dropped': 'dropped packets',
  'system.network.errors': 'network errors',
  'system.network.io': 'network throughput',
  'system.network.packets': 'network packets',
  'system.paging.faults': 'page faults',
  'system.paging.operations': 'paging operations',
  'system.paging.usage': 'swap usage',
  'system.paging.utilization': 'swap utilisation',
  'system.process.count': 'processes',
  'system.process.created': 'process starts',
  'systemd.unit.state': 'unit',
  'systemd.units.failed': 'failed units',
};

/** Of figures of a process without a word of which one: the agent's own. */
const ownWords: Readonly<Record<string, string>> = {
  'process.cpu.utilization': "the agent's CPU utilisation",
  'process.memory.usage': "the agent's memory",
};

const mostAttributes = 3;
const mostTextLength = 120;

/** `CPU utilisation (user)`: the metric in words, and the values of its attributes. */
export function describeSeries(key: SeriesKey): string {
  const values = Object.entries(key.attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, mostAttributes)
    .map(([name, value]) => attributeText(name, value));
  const known = values.length === 0 && Object.hasOwn(ownWords, key.name) ? ownWords : words;
  const name = Object.hasOwn(known, key.name) ? known[key.name]! : key.name;
  const text = values.length === 0 ? name : `${name} (${values.join(', ')})`;
  return text.length <= mostTextLength ? text : `${text.slice(0, mostTextLength - 1)}…`;
}

/** A bare number says nothing: `core 3` rather than `3`. */
function attributeText(name: string, value: string): string {
  if (name === 'cpu.logical_number') return `core ${value}`;
  return /^[\d.]*$/.test(value) ? `${name.slice(name.lastIndexOf('.') + 1)} ${value}` : value;
}

const binaryPrefixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
const decimalPrefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const;

/** Other UCUM units as people write them. */
const unitWords: Readonly<Record<string, string>> = { Cel: '°C', '%': '%', deg: '°', min: 'min', h: 'h', d: 'd' };

/** A value with its unit, three digits: `98 %`, `4.1 MiB/s`, `12 ms`, `41 °C`. */
export function formatValue(value: number, unit: string): string {
  const { factor, text } = scaleFor(Math.abs(value), unit);
  return withUnit(digits(value * factor), text);
}

/** A range in one unit: `1–12 %`; equal ends are told once. */
export function formatRange(low: number, high: number, unit: string): string {
  const { factor, text } = scaleFor(Math.max(Math.abs(low), Math.abs(high)), unit);
  const from = digits(low * factor);
  const to = digits(high * factor);
  const dash = to.startsWith('-') ? ' to ' : '–';
  return withUnit(from === to ? to : `${from}${dash}${to}`, text);
}

function withUnit(number: string, unit: string): string {
  return unit === '' ? number : `${number} ${unit}`;
}

/** What to multiply by, and what to write behind, for a size of the value. */
function scaleFor(size: number, unit: string): { factor: number; text: string } {
  if (unit === '1') return { factor: 100, text: '%' };
  if (unit === 'By' || unit === 'By/s') {
    const step = Math.min(6, Math.max(0, Math.floor(Math.log2(Math.max(size, 1)) / 10)));
    return { factor: 1024 ** -step, text: `${binaryPrefixes[step]}B${unit.slice(2)}` };
  }
  if (unit === 's') {
    if (size > 0 && size < 1e-3) return { factor: 1e6, text: 'µs' };
    if (size < 1) return { factor: 1e3, text: 'ms' };
    if (size < 120) return { factor: 1, text: 's' };
    if (size < 7200) return { factor: 1 / 60, text: 'min' };
    return size < 172_800 ? { factor: 1 / 3600, text: 'h' } : { factor: 1 / 86_400, text: 'days' };
  }
  if (unit === 'Hz' || unit === 'bit/s') return decimal(size, unit);
  const count = /^\{([^{}]*)\}(\/s)?$/.exec(unit);
  if (count !== null) {
    const { factor, text } = decimal(size, '');
    return { factor, text: [text, count[2] ?? ''].join('').trim() };
  }
  return { factor: 1, text: unitWords[unit] ?? unit };
}

function decimal(size: number, unit: string): { factor: number; text: string } {
  const step =
    size < 10_000 && unit === '' ? 0 : Math.min(6, Math.max(0, Math.floor(Math.log10(Math.max(size, 1)) / 3)));
  return { factor: 1000 ** -step, text: `${decimalPrefixes[step]}${unit}` };
}

/** Three digits at most, no trailing zeros. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size < 0.0005) return '0';
  if (size >= 1e6) return value.toExponential(1);
  const text = size >= 100 ? value.toFixed(0) : value.toPrecision(size >= 1 ? 3 : 2);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

const SECOND_MS = 1000;
const spans: readonly (readonly [ms: number, one: string, many: string])[] = [
  [365 * 86_400 * SECOND_MS, 'year', 'years'],
  [86_400 * SECOND_MS, 'day', 'days'],
  [3600 * SECOND_MS, 'hour', 'hours'],
  [60 * SECOND_MS, 'minute', 'minutes'],
  [SECOND_MS, 'second', 'seconds'],
];
const longestClaimYears = 10;

/** `rarer than once in 30 days`; nobody has watched for more than ten years, so no more than that is claimed. */
export function describeRarity(returnPeriodMs: number): string {
  for (const [ms, one, many] of spans) {
    if (returnPeriodMs < ms) continue;
    const count = Math.floor(returnPeriodMs / ms);
    if (one === 'year' && count >= longestClaimYears) return `rarer than once in ${longestClaimYears} years`;
    return `rarer than once in ${count === 1 ? `a ${one}`.replace('a hour', 'an hour') : `${count} ${many}`}`;
  }
  return 'not rare';
}

/** A span of time: `45 s`, `12 min`, `3 h`. */
export function describeSpan(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
