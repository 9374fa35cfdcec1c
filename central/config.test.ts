import { describe, expect, test } from 'vitest';
import { formatProblems, parseYaml } from '../shared/config/yaml.ts';
import { centralConfigSchema } from './config.ts';

function complaints(source: string): string {
  const result = parseYaml(source, centralConfigSchema);
  return result.ok ? '' : formatProblems('f', result.problems);
}

test('a central needs no configuration', () => {
  expect(parseYaml('', centralConfigSchema)).toEqual({
    ok: true,
    value: {
      http: { listen: { host: '127.0.0.1', port: 7070 } },
      mqtt: { listen: { host: '127.0.0.1', port: 1883 }, prefix: 'picket/1' },
      broker: { kind: 'embedded' },
      data: '/var/lib/picket-central',
      retention: { minutes: 1_209_600_000, hours: 34_560_000_000, size: 10_000_000_000 },
      training: { interval: 21_600_000, firstAfter: 240_000, minimumWindows: 3, holdOut: 0.25 },
      rollout: { shadow: 86_400_000, canary: 86_400_000, share: 0.1 },
      budget: { notificationsPerWeek: 5 },
      configuration: { settle: 30 * 60_000, back: 15 * 60_000, share: 0.1 },
      alerts: {
        targets: [],
        retryFor: 259_200_000,
        mostWaiting: 1000,
        holdBack: 120_000,
        overdue: { after: 600_000, gather: 120_000, severity: 'warning', expect: [] },
      },
      tls: 'auto',
      log: { level: 'info' },
    },
  });
});

test('everything can be said', () => {
  const source = `
http: {listen: "[::]:443"}
mqtt: {listen: 0.0.0.0:0, prefix: plant/picket}
broker: {kind: external, url: "mqtts://broker:8883", username: u, password: p, ca: /ca.pem}
tls: {certificate: /c.pem, key: /k.pem}
publicUrl: https://central.example:7070/
`;
  expect(parseYaml(source, centralConfigSchema)).toMatchObject({
    ok: true,
    value: {
      http: { listen: { host: '::', port: 443 } },
      mqtt: { listen: { host: '0.0.0.0', port: 0 }, prefix: 'plant/picket' },
      broker: { kind: 'external', url: 'mqtts://broker:8883', username: 'u', password: 'p', ca: '/ca.pem' },
      tls: { certificate: '/c.pem', key: '/k.pem' },
      publicUrl: 'https://central.example:7070',
    },
  });
});

describe('encryption may be off on loopback only', () => {
  test.each([
    ['tls: off', ''],
    ['tls: off\nhttp: {listen: "[::1]:1"}\nmqtt: {listen: localhost:1}', ''],
    [
      'tls: off\nhttp: {listen: 0.0.0.0:1}',
      'f:1:6: tls: `off` is allowed on loopback only, and http.listen is 0.0.0.0: listen on 127.0.0.1, or say `auto`.',
    ],
    [
      'tls: off\nmqtt: {listen: 10.0.0.1:1}',
      'f:1:6: tls: `off` is allowed on loopback only, and mqtt.listen is 10.0.0.1: listen on 127.0.0.1, or say `auto`.',
    ],
    ['tls: off\nmqtt: {listen: 10.0.0.1:1}\nbroker: {kind: external, url: "mqtt://10.0.0.1"}', ''],
    ['http: {listen: 0.0.0.0:1}', ''],
  ])('%j', (source, message) => {
    expect(complaints(source)).toBe(message);
  });
});

test.each([
  ['http: {listen: 7070}', /f:1:16: http.listen: 7070 is not allowed/],
  ['http: {listen: ":7070"}', /host is missing/],
  ['http: {listen: "::1:7070"}', /brackets/],
  ['http: {port: 7070}', /not a key/],
  ['mqtt: {prefix: "picket/#"}', /topic levels/],
  ['broker: mosquitto', /must be a mapping with the key `kind`/],
  ['broker: {kind: external}', /broker.url: is missing/],
  ['broker: {kind: external, url: "tcp://x:1"}', /mqtt:\/\/host:port/],
  ['broker: {url: "mqtt://x:1"}', /"url" is not a key/],
  ['retention: {minutes: 400d, hours: 14d}', /f:1:35: retention.hours: is shorter than `minutes`/],
  ['retention: {size: 1MB}', /from 64MB/],
  ['training: {holdOut: 1}', /from 0.05 to 0.9/],
  ['tls: on', /one of `auto`, `off`/],
  ['tls: {certificate: /c.pem}', /tls.key: is missing/],
  ['publicUrl: central.example', /`https:\/\/host`/],
  ['publicUrl: https://x/path', /Only scheme, host and port/],
  ['publicUrl: https://u:p@x', /Only scheme, host and port/],
])('%s is refused', (source, message) => {
  expect(complaints(source)).toMatch(message);
});

test('the password of the broker never comes back', () => {
  expect(complaints('broker: {kind: external, url: x, password: [hunter2]}')).not.toContain('hunter2');
  expect(complaints(`broker: {kind: external, url: x, password: "${'hunter2'.repeat(200)}"}`)).not.toContain('hunter2');
});
