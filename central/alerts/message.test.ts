import { expect, test } from 'vitest';
import type { Message } from './due.ts';
import { T0, World } from './fixtures.ts';
import { moment, oneLine, wordsOf } from './message.ts';
import { retryAfterOf } from './targets/request.ts';
import { webhookBody } from './targets/webhook-body.ts';

const naming = { nameOf: (agent: string) => `Name of ${agent}`, url: 'https://central.example' };

function opened(over: Parameters<World['news']>[0] = {}): Message {
  return { kind: 'one', items: [{ thread: new World().news(over)!, change: 'opened' }] };
}

test('a mail says what, where, since when, and where to look', () => {
  const texts = ['disk sda 41 ms. Look at its cable', 'load 9'];
  const message = opened({ texts, series: 5, changes: ['the agent was updated'] });
  const { subject, headline, text } = wordsOf(message, 'ops', naming, T0 + 8_000);
  expect(subject).toBe('[Picket] Name of pump-7: disk sda 41 ms');
  expect(headline).toBe('Opened: warning, Name of pump-7 (north)');
  expect(text).toBe(
    [
      'Opened: warning, Name of pump-7 (north)',
      'disk sda 41 ms, expected 1–2 ms',
      'What was found, the most telling first:\n1. disk sda 41 ms. Look at its cable\n2. load 9',
      'And 3 more.',
      'What changed before:\n- the agent was updated',
      'Since 2026-03-02 12:00:00 UTC, for 8 s now.',
      `https://central.example/machine/pump-7?incident=${'a'.repeat(32)}-5`,
      '-- \nPicket central, https://central.example',
    ].join('\n\n'),
  );
});

test('what an agent says cannot become a header, nor a subject without end', () => {
  const { subject } = wordsOf(
    opened({ title: `x\r\nBcc: all@example.org\r\n\r\n${'y'.repeat(9_999)}` }),
    'ops',
    naming,
    T0,
  );
  expect(subject).not.toMatch(/[\r\n]/);
  expect(subject.length).toBeLessThanOrEqual(100);
  expect(oneLine('a\u0000b\u2028 c', 10)).toBe('a b c');
});

test('times that are none do no harm', () => {
  for (const openedMs of [Number.NaN, 1e300, -1e300]) {
    const message = opened({ openedMs });
    expect(wordsOf(message, 'ops', naming, T0).text).toContain('an unknown time');
    const words = wordsOf(message, 'ops', naming, T0);
    const delivery = { ...words, message, naming, atMs: T0, dropped: 0 };
    expect(JSON.parse(webhookBody(delivery, 'ops', {})).alerts[0].startsAt).toBe('0001-01-01T00:00:00Z');
  }
  expect(moment(0)).toBe('1970-01-01 00:00:00 UTC');
});

test("a webhook's document is Alertmanager's, with the operator's fields beside it", () => {
  const world = new World();
  const items = ['a', 'b'].map((agent) => ({ thread: world.news({ agent })!, change: 'opened' as const }));
  const message: Message = { kind: 'digest', items };
  const words = wordsOf(message, 'ops', naming, T0);
  const json = JSON.parse(
    webhookBody({ ...words, message, naming, atMs: T0, dropped: 2 }, 'ops', { routing_key: 'r', version: '9' }),
  );
  expect(json).toMatchObject({
    routing_key: 'r',
    version: '4',
    status: 'firing',
    receiver: 'ops',
    truncatedAlerts: 0,
    commonLabels: { alertname: 'PicketIncident', severity: 'warning', site: 'north' },
    externalURL: 'https://central.example',
    picket: { kind: 'digest', dropped: 2 },
  });
  expect(json.commonLabels.agent).toBeUndefined();
  expect(json.groupKey).toMatch(/^digest:/);
  expect(json.alerts.map(({ fingerprint }: { fingerprint: string }) => fingerprint)).toEqual(
    items.map(({ thread }) => thread.key),
  );
});

test('a receiver that asks for a pause gets it, up to an hour', () => {
  expect(retryAfterOf('120', T0)).toBe(120_000);
  expect(retryAfterOf('999999', T0)).toBe(3_600_000);
  expect(retryAfterOf(new Date(T0 + 60_000).toUTCString(), T0)).toBe(60_000);
  for (const wrong of ['', '-5', 'soon', new Date(T0 - 1).toUTCString()]) expect(retryAfterOf(wrong, T0)).toBeNull();
});
