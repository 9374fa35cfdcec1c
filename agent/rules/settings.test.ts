import { describe, expect, test } from 'vitest';
import { formatPath, parseValue } from '../../shared/config/schema.ts';
import { RULE_ID_PATTERN } from '../../shared/rules/rule.ts';
import { shippedRules } from '../../shared/rules/shipped.ts';
import { rulesOf, rulesSchema } from './settings.ts';

function rulesFrom(input: unknown) {
  const parsed = parseValue(rulesSchema, input);
  if (!parsed.ok)
    throw new Error(parsed.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`).join('\n'));
  return rulesOf(parsed.value);
}

test('nothing said: the shipped ones', () => {
  expect(rulesFrom(undefined)).toEqual(shippedRules);
});

test('the shipped ones have ids of their own, words, advice, and hysteresis the right way round', () => {
  expect(new Set(shippedRules.map(({ id }) => id)).size).toBe(shippedRules.length);
  for (const { id, text, advice, condition } of shippedRules) {
    expect(id).toMatch(RULE_ID_PATTERN);
    expect(text).toMatch(/^[a-z{]/);
    expect(advice).toMatch(/\.$/);
    if (condition.kind !== 'threshold') continue;
    const { side, limit, clear } = condition;
    const [at, back] = [limit, clear].map((one) => (typeof one === 'number' ? one : one.share * 1e3 + one.plus));
    expect(side === 'above' ? at! - back! : back! - at!).toBeGreaterThanOrEqual(0);
  }
});

test('one is switched off, one is changed, one is made', () => {
  const rules = rulesFrom({
    'oom-kill': false,
    'inodes-low': { above: 0.5, for: '1m', where: { 'system.filesystem.mountpoint': '/data' } },
    'temperature-critical': { severity: 'warning' },
    'boiler-hot': { metric: 'boiler.temperature', above: 90, clear: 85, for: '1m', severity: 'critical', text: 'hot' },
  });
  const find = (id: string) => rules.find((rule) => rule.id === id);
  expect(find('oom-kill')).toBeUndefined();
  const inodes = shippedRules.find(({ id }) => id === 'inodes-low')!;
  expect(find('inodes-low')).toEqual({
    ...inodes,
    selector: { ...inodes.selector, where: { 'system.filesystem.mountpoint': '/data' } },
    condition: { kind: 'threshold', side: 'above', limit: 0.5, clear: 0.5 },
    forMs: 60_000,
  });
  expect(find('temperature-critical')).toEqual({
    ...shippedRules.find(({ id }) => id === 'temperature-critical'),
    severity: 'warning',
  });
  expect(find('boiler-hot')).toEqual({
    id: 'boiler-hot',
    selector: { metric: 'boiler.temperature', where: {}, except: {} },
    condition: { kind: 'threshold', side: 'above', limit: 90, clear: 85 },
    forMs: 60_000,
    clearForMs: 0,
    severity: 'critical',
    text: 'hot',
    advice: '',
  });
});

test.each([
  [{ below: 2 }, { kind: 'threshold', side: 'below', limit: 2, clear: 2 }],
  [
    { rises: 0.5, clear: 0.1, over: '5m' },
    { kind: 'rate', side: 'above', limit: 0.5, clear: 0.1, overMs: 300_000 },
  ],
  [
    { falls: 0.5, clear: 0.1 },
    { kind: 'rate', side: 'below', limit: -0.5, clear: -0.1, overMs: 600_000 },
  ],
  [{ absent: '2m' }, { kind: 'absence', afterMs: 120_000 }],
  [
    { is: ['down'], was: ['up'] },
    { kind: 'state', is: ['down'], was: ['up'] },
  ],
  [{ timeToFull: '24h' }, { kind: 'timeToFull', limit: 86_400, clear: 129_600 }],
])('%j is a condition', (setting, condition) => {
  expect(rulesFrom({ own: { metric: 'm', ...setting } }).find(({ id }) => id === 'own')?.condition).toEqual(condition);
});

test('time to full needs no metric: it takes the forecast that is expected', () => {
  expect(rulesFrom({ own: { timeToFull: '24h' } }).at(-1)?.selector).toEqual({
    metric: 'picket.forecast.time_to_full',
    where: { 'picket.forecast.edge': 'expected' },
    except: {},
  });
});

describe('refused, with the key that is wrong', () => {
  test.each([
    [{ 'disk-space': false }, 'disk-space: there is no shipped rule of this id'],
    [{ own: { metric: 'm' } }, 'own: the rule says no condition'],
    [{ own: { above: 1 } }, 'own: the rule says no `metric`'],
    [{ own: { metric: 'm', above: 1, below: 0 } }, 'own.below: `above` is said already'],
    [{ own: { metric: 'm', above: 1, clear: 2 } }, 'own.clear: must not be above the limit'],
    [{ own: { metric: 'm', below: 1, clear: 0 } }, 'own.clear: must not be below the limit'],
    [{ own: { metric: 'm', over: 1 } }, 'own.over'],
    [{ 'Big Id': { metric: 'm', above: 1 } }, 'Big Id'],
    [{ own: { metric: 'm', abov: 1 } }, 'own.abov'],
    [{ own: { metric: 'm', is: [] } }, 'own.is'],
  ])('%j', (input, message) => {
    expect(() => rulesFrom(input)).toThrow(message);
  });
});
