import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { formatPath, maxProblems, parseValue, type Schema } from './schema.ts';
import {
  boolean,
  bytes,
  duration,
  eitherOf,
  integer,
  listOf,
  mapOf,
  number,
  object,
  oneOf,
  optional,
  secret,
  string,
  text,
  unionOf,
  type ValueOf,
} from './types.ts';

const doc = 'Something.';

function problems(schema: Schema<unknown>, input: unknown): string[] {
  const result = parseValue(schema, input);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

const device = object({
  doc,
  keys: {
    host: string({ doc, example: 'plc' }),
    port: integer({ doc, min: 1, max: 65_535, default: 502 }),
    interval: duration({ doc, default: '10s', min: '100ms', max: '1h' }),
    unit: optional(integer({ doc, min: 0, max: 247 })),
  },
});

describe('an object', () => {
  test('has the type that its keys say', () => {
    expectTypeOf<ValueOf<typeof device>>().toEqualTypeOf<{
      readonly host: string;
      readonly port: number;
      readonly interval: number;
      readonly unit?: number;
    }>();
  });

  test('takes its defaults, and leaves out what is optional', () => {
    const result = parseValue(device, { host: 'plc' });
    expect(result).toEqual({ ok: true, value: { host: 'plc', port: 502, interval: 10_000 } });
    expect(parseValue(device, { host: 'plc', port: null, unit: null })).toEqual(result);
    expect(parseValue(device, { host: 'plc', unit: 0 })).toMatchObject({ value: { unit: 0 } });
  });

  test('names every mistake at once, with what to do', () => {
    expect(problems(device, { hots: 'plc', port: 70_000, interval: 5, unit: '3' })).toEqual([
      'hots: "hots" is not a key that is known here. Did you mean `host`?',
      'host: is missing: must be a text.',
      'port: 70000 is not allowed: must be a whole number from 1 to 65535.',
      'interval: 5 is not allowed: must be a duration from 100ms to 1h. It has no unit: write it such as `10s`, `5m`, `1h30m` or `14d`.',
      'unit: "3" is not allowed: must be a whole number from 0 to 247. Write it without quotes.',
    ]);
  });

  test.each([['a text'], [3], [[]], [true]])('%j is no mapping', (input) => {
    expect(problems(device, input)[0]).toMatch(/must be a mapping/);
  });

  test('inherited and magic keys are keys like others', () => {
    expect(problems(device, JSON.parse('{"host":"a","__proto__":{"port":1},"constructor":1}'))).toHaveLength(2);
    expect(problems(object({ doc, keys: { toString: string({ doc }) } }), {})).toEqual([
      'toString: is missing: must be a text.',
    ]);
  });

  test('may be left out when all its keys may be', () => {
    const outer = object({
      doc,
      keys: { log: object({ doc, keys: { level: string({ doc, default: 'info' }) } }), device },
    });
    expect(outer.keys.log?.fallback).toEqual({ level: 'info' });
    expect(outer.fallback).toBeUndefined();
    expect(problems(outer, {})).toEqual(['device.host: is missing: must be a text.']);
  });

  test('holds rules between its keys only when each is right', () => {
    const range = object({
      doc,
      keys: { low: number({ doc, default: 0 }), high: number({ doc, default: 1 }) },
      check: (value, fail) => {
        if (value.low > value.high) fail('low', 'is above `high`.');
      },
    });
    expect(problems(range, { low: 2 })).toEqual(['low: is above `high`.']);
    expect(problems(range, { low: 2, high: 'x' })).toHaveLength(1);
  });
});

describe('single values', () => {
  test.each<[string, Schema<unknown>, unknown]>([
    ['NaN', number({ doc }), Number.NaN],
    ['infinity', number({ doc }), Number.POSITIVE_INFINITY],
    ['a fraction', integer({ doc }), 1.5],
    ['more than is exact', integer({ doc }), 2 ** 53],
    ['below the bound', number({ doc, min: 0 }), -0.001],
    ['a line break', string({ doc }), 'a\nb'],
    ['an empty text', string({ doc }), ''],
    ['a long text', string({ doc }), 'x'.repeat(1025)],
    ['a number for a text', string({ doc }), 5],
    ['a text for a boolean', boolean({ doc }), 'yes'],
    ['a number for a boolean', boolean({ doc }), 1],
    ['another word', oneOf({ doc, values: ['a', 'b'] }), 'c'],
    ['a number for a word', oneOf({ doc, values: ['1'] }), 1],
    ['too short a duration', duration({ doc, min: '1s' }), '999ms'],
    ['too large a size', bytes({ doc, max: '1MB' }), '1MiB'],
    ['a mapping', string({ doc }), {}],
    ['a list', bytes({ doc }), []],
    ['nothing', string({ doc }), null],
  ])('%s is refused', (_what, schema, input) => {
    expect(problems(schema, input)).toHaveLength(1);
  });

  test('bounds belong to what is allowed', () => {
    expect(parseValue(integer({ doc, min: 1, max: 3 }), 1)).toEqual({ ok: true, value: 1 });
    expect(parseValue(integer({ doc, min: 1, max: 3 }), 3)).toEqual({ ok: true, value: 3 });
    expect(parseValue(duration({ doc, min: '1s', max: '1m' }), '60s')).toEqual({ ok: true, value: 60_000 });
  });

  test('a secret never comes back in a message', () => {
    expect(problems(secret({ doc, maxLength: 4 }), 'hunter22').join()).not.toContain('hunter');
    expect(secret({ doc }).toJsonSchema()).toMatchObject({ writeOnly: true });
  });

  test('a text with a meaning gives the reason that its parser gives', () => {
    const even = text({
      doc,
      values: 'an even number',
      parse: (word) => {
        if (word === '3') throw new Error('It is odd.');
        return word === '2' ? 2 : null;
      },
    });
    expect(parseValue(even, '2')).toEqual({ ok: true, value: 2 });
    expect(problems(even, '3')).toEqual([': "3" is not allowed: must be an even number. It is odd.']);
    expect(problems(even, '4')).toEqual([': "4" is not allowed: must be an even number.']);
  });

  test('a default that its own bounds refuse does not come to be', () => {
    expect(() => integer({ doc, min: 1, default: 0 })).toThrow('default of "Something."');
    expect(() => duration({ doc, default: '10' })).toThrow('default');
    expect(() => duration({ doc, min: 'ten' })).toThrow('bound');
    expect(() => listOf({ doc, of: integer({ doc }), default: ['x'] })).toThrow('default');
  });

  test('what is not explained does not come to be', () => {
    expect(() => integer({ doc: ' ' })).toThrow('needs a doc');
    expect(() => object({ doc: '', keys: {} })).toThrow('needs a doc');
  });
});

describe('structures', () => {
  const tags = mapOf({
    doc,
    of: string({ doc }),
    key: { values: 'a short name', pattern: /^[a-z]{1,8}$/ },
    default: {},
    max: 3,
  });
  const lists = listOf({ doc, of: integer({ doc }), min: 1, max: 3 });

  test('a list is bounded, and says which entry is wrong', () => {
    expect(parseValue(lists, [1, 2])).toEqual({ ok: true, value: [1, 2] });
    expect(problems(lists, [1, 'x'])[0]).toMatch(/^\[1\]: "x" is not allowed/);
    expect(problems(lists, [])).toHaveLength(1);
    expect(problems(lists, [1, 2, 3, 4])).toHaveLength(1);
    expect(problems(lists, [1, null])[0]).toMatch(/^\[1\]: the entry is empty/);
    expect(problems(lists, { 0: 1 })[0]).toMatch(/must be a list/);
  });

  test('a list may ask for entries that differ', () => {
    const named = listOf({ doc, of: device, unique: ({ host }) => host });
    expect(problems(named, [{ host: 'a' }, { host: 'b' }, { host: 'a' }])).toEqual([
      '[2]: "a" is there already, as entry 1: each must be there once.',
    ]);
  });

  test('a map is bounded in number and names', () => {
    expect(parseValue(tags, { a: 'x' })).toEqual({ ok: true, value: { a: 'x' } });
    expect(parseValue(tags, undefined)).toEqual({ ok: true, value: {} });
    expect(problems(tags, { 'a b': 'x', c: 3 })).toHaveLength(2);
    expect(problems(tags, { a: '1', b: '1', c: '1', d: '1' })).toHaveLength(1);
    expect(problems(tags, JSON.parse('{"__proto__":"x"}'))).toHaveLength(1);
  });

  const broker = unionOf({
    doc,
    discriminator: 'kind',
    default: 'embedded',
    variants: {
      embedded: object({ doc, keys: {} }),
      external: object({ doc, keys: { url: string({ doc }) } }),
    },
  });

  test('a union is told apart by its key', () => {
    expectTypeOf<ValueOf<typeof broker>>().toEqualTypeOf<
      { readonly kind: 'embedded' } | { readonly kind: 'external'; readonly url: string }
    >();
    expect(parseValue(broker, undefined)).toEqual({ ok: true, value: { kind: 'embedded' } });
    expect(parseValue(broker, { kind: 'external', url: 'x' })).toEqual({
      ok: true,
      value: { kind: 'external', url: 'x' },
    });
    expect(problems(broker, { kind: 'external' })).toEqual(['url: is missing: must be a text.']);
    expect(problems(broker, { kind: 'extern' })[0]).toMatch(/Did you mean `external`/);
    expect(problems(broker, { url: 'x' })[0]).toMatch(/not a key/);
    expect(problems(broker, { kind: 'toString' })).toHaveLength(1);
    expect(problems(broker, JSON.parse('{"kind":["embedded"]}'))).toHaveLength(1);
  });

  test('a choice takes the word or the structure', () => {
    const tls = eitherOf({
      doc,
      word: oneOf({ doc, values: ['auto', 'off'], default: 'auto' }),
      structure: object({ doc, keys: { key: string({ doc }) } }),
    });
    expect(parseValue(tls, undefined)).toEqual({ ok: true, value: 'auto' });
    expect(parseValue(tls, 'off')).toEqual({ ok: true, value: 'off' });
    expect(parseValue(tls, { key: 'k' })).toEqual({ ok: true, value: { key: 'k' } });
    expect(problems(tls, {})).toEqual(['key: is missing: must be a text.']);
    expect(problems(tls, 'on')).toHaveLength(1);
  });

  test('no input makes a parser throw, and a value comes or problems do', () => {
    const everything = object({
      doc,
      keys: { device, tags, lists, broker, when: duration({ doc }), size: bytes({ doc }) },
    });
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.record({ device: fc.anything(), tags: fc.anything(), broker: fc.anything() })),
        (input) => {
          const result = parseValue(everything, input);
          expect(result.ok).toBe(false);
          if (!result.ok) expect(result.problems.length).toBeGreaterThan(0);
        },
      ),
    );
  });

  test('problems without end are not told without end', () => {
    const input = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${i}`, i]));
    expect(problems(device, { host: 'a', ...input })).toHaveLength(maxProblems);
  });
});
