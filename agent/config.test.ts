import { describe, expect, test } from 'vitest';
import { parseValue } from '../shared/config/schema.ts';
import { duration, integer, object, string } from '../shared/config/types.ts';
import { formatProblems, parseYaml } from '../shared/config/yaml.ts';
import { DAY_MS, HOUR_MS } from '../shared/limits.ts';
import { agentConfigSchema, chooseInputs, dataDirectoryOf, hostOf, type InputKinds, timezoneOf } from './config.ts';
import type { Host, InputKind } from './inputs/input.ts';

const host = { platform: 'linux' } as Host;

const cpu = {
  doc: 'Processor.',
  config: object({ doc: 'Processor.', keys: { interval: duration({ doc: 'Rhythm.', default: '1s', min: '100ms' }) } }),
  automatic: ({ platform }: Host) => platform === 'linux',
  timing: () => ({ intervalMs: 1000, deadlineMs: 1000 }),
  open: () => Promise.reject(new Error('not opened')),
} as unknown as InputKind<unknown>;

const device = {
  ...cpu,
  doc: 'A device.',
  config: object({
    doc: 'A device.',
    keys: { name: string({ doc: 'Name.' }), port: integer({ doc: 'Port.', default: 502, max: 65_535 }) },
  }),
  automatic: () => false,
} as InputKind<unknown>;

const kinds: InputKinds = new Map([
  ['linux.cpu', cpu],
  ['modbus', device],
]);
const schema = agentConfigSchema(kinds);

function complaints(source: string): string {
  const result = parseYaml(source, schema);
  return result.ok ? '' : formatProblems('f', result.problems);
}

function labels(source: string, on: Host = host): string[] {
  const result = parseYaml(source, schema);
  if (!result.ok) throw new Error(formatProblems('f', result.problems));
  return chooseInputs(result.value.inputs, kinds, on).map(({ label, config }) => `${label} ${JSON.stringify(config)}`);
}

test('an agent needs no configuration', () => {
  const result = parseYaml('', schema);
  expect(result).toEqual({
    ok: true,
    value: {
      inputs: {},
      outbox: { size: 64_000_000, keepAcknowledged: 86_400_000, commitInterval: 5000 },
      limits: { series: 2000, recentMemory: 4_000_000 },
      connection: {},
      host: {},
      backlogRate: 64_000,
      budget: { findingsPerDay: 1, notificationsPerWeek: 5 },
      forecast: {
        disk: 7 * DAY_MS,
        memory: DAY_MS,
        battery: HOUR_MS,
        certificate: 14 * DAY_MS,
        wear: 90 * DAY_MS,
        other: DAY_MS,
      },
      raw: 'demand',
      rules: {},
      locked: [],
      managed: true,
      log: { level: 'info' },
    },
  });
});

test('a budget of the uplink is bytes a month', () => {
  expect(parseYaml('uplink: 30MB/month', schema)).toMatchObject({ ok: true, value: { uplink: 30_000_000 } });
});

describe('inputs', () => {
  test('run when they are automatic here, with their defaults', () => {
    expect(labels('')).toEqual(['linux.cpu {"interval":1000}']);
    expect(labels('', { ...host, platform: 'darwin' })).toEqual([]);
  });

  test('are changed, switched off, or added as one or several devices', () => {
    expect(labels('inputs: {linux.cpu: {interval: 2s}}')).toEqual(['linux.cpu {"interval":2000}']);
    expect(labels('inputs: {linux.cpu: false}')).toEqual([]);
    expect(labels('inputs: {linux.cpu: true}')).toEqual(['linux.cpu {"interval":1000}']);
    expect(labels('inputs:\n  linux.cpu:\n')).toEqual(['linux.cpu {"interval":1000}']);
    expect(labels('inputs: {linux.cpu: false, modbus: {name: boiler}}')).toEqual([
      'modbus/boiler {"name":"boiler","port":502}',
    ]);
    expect(labels('inputs: {linux.cpu: [{}, {interval: 3s}], modbus: [{name: a}, {name: b}]}')).toEqual([
      'linux.cpu/1 {"interval":1000}',
      'linux.cpu/2 {"interval":3000}',
      'modbus/a {"name":"a","port":502}',
      'modbus/b {"name":"b","port":502}',
    ]);
  });

  test('configured by hand are told from automatic ones', () => {
    const result = parseValue(schema, { inputs: { modbus: { name: 'a' } } });
    if (!result.ok) throw new Error('wrong');
    expect(chooseInputs(result.value.inputs, kinds, host).map(({ automatic }) => automatic)).toEqual([true, false]);
  });

  test.each([
    ['inputs: {linux.cpx: {}}', 'f:1:10: inputs.linux.cpx: "linux.cpx" is no kind of input. Did you mean `linux.cpu`?'],
    ['inputs: {modbus: {}}', 'f:1:18: inputs.modbus.name: is missing: must be a text.'],
    ['inputs: {modbus: true}', 'f:1:18: inputs.modbus.name: is missing: must be a text.'],
    [
      'inputs: {modbus: []}',
      'f:1:18: inputs.modbus: the list is empty: `false` switches the input off, without the key it is automatic.',
    ],
    [
      'inputs: {modbus: [{name: a}, {name: a}]}',
      'f:1:37: inputs.modbus[1].name: "a" is there already: each device needs a name of its own.',
    ],
    ['inputs: {modbus: 3}', 'f:1:18: inputs.modbus: 3 is not allowed: must be a mapping of keys to values.'],
    ['inputs: [linux.cpu]', 'f:1:9: inputs: must be a mapping from kinds of inputs to their settings.'],
    [
      'inputs:\n  linux.cpu:\n    interval: 50ms',
      'f:3:15: inputs.linux.cpu.interval: "50ms" is not allowed: must be a duration of at least 100ms.',
    ],
    [
      `inputs: {modbus: [${'{name: a},'.repeat(65)}]}`,
      'f:1:18: inputs.modbus: the list has 65 entries: must have at most 64.',
    ],
    [
      'inputs: {__proto__: {}}',
      'f:1:10: inputs.__proto__: "__proto__" is no kind of input. Known here: `linux.cpu`, `modbus`.',
    ],
  ])('%j is named', (source, message) => {
    expect(complaints(source)).toBe(message);
  });
});

test.each([
  ['window: 5m', /must be `1m` or `10m`/],
  ['uplink: 30MB', /such as `30MB\/month`/],
  ['uplink: 900kB/month', /from `1MB\/month`/],
  ['timezone: Europe/Zurch', /Did you mean `Europe\/Zurich`/],
  ['timezone: Mars', /IANA time zone/],
  ['data: relative/path', /an absolute path/],
  ['outbox: {size: 1MB}', /a size from 8MB/],
  ['limits: {series: 5000}', /from 16 to 4096/],
  ['connection: {broker: "http://x"}', /mqtt:\/\/host:port/],
  ['connection: {prefix: "a/#"}', /topic levels/],
  ['raw: sometimes', /one of `never`, `incident`, `demand`/],
  ['managed: yes', /`true` or `false`/],
  ['budget: {findingsPerDay: 0}', /from 0.01/],
  ['log: {level: trace}', /one of/],
])('%s is refused', (source, message) => {
  expect(complaints(source)).toMatch(message);
});

test('the data directory is the command line’s, the file’s, systemd’s, the usual one', () => {
  const config = (source: string) => {
    const result = parseYaml(source, schema);
    if (!result.ok) throw new Error('wrong');
    return result.value;
  };
  const systemd = { STATE_DIRECTORY: '/var/lib/x:/var/lib/y' };
  expect(dataDirectoryOf(config('data: /a'), '/b', systemd)).toBe('/b');
  expect(dataDirectoryOf(config('data: /a'), undefined, systemd)).toBe('/a');
  expect(dataDirectoryOf(config(''), undefined, systemd)).toBe('/var/lib/x');
  expect(dataDirectoryOf(config(''), undefined, {})).toBe('/var/lib/picket-agent');
  expect(timezoneOf(config('timezone: Asia/Tokyo'))).toBe('Asia/Tokyo');
  expect(timezoneOf(config(''))).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
});

test('an agent in a container finds its host where the mounts are', () => {
  const host = { procRoot: '/proc', sysRoot: '/sys', root: '/' } as Host;
  const parsed = parseYaml('host: {proc: /host/proc, sys: /host/sys}', schema);
  expect(parsed.ok && hostOf(parsed.value, host)).toEqual({ procRoot: '/host/proc', sysRoot: '/host/sys', root: '/' });
});
