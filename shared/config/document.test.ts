import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { documentedKeys, flatKeys, inline, jsonSchemaText, markdownText, sampleText } from './document.ts';
import { parseValue } from './schema.ts';
import {
  bytes,
  duration,
  eitherOf,
  integer,
  listOf,
  mapOf,
  object,
  oneOf,
  optional,
  secret,
  string,
  unionOf,
} from './types.ts';
import { parseYaml } from './yaml.ts';

/** One of each builder, nested in each other. */
const schema = object({
  doc: 'All.',
  keys: {
    size: bytes({ doc: 'A size | with a bar.', default: '64MB' }),
    zone: optional(string({ doc: 'A zone.' })),
    log: object({
      doc: 'A log.',
      keys: { level: oneOf({ doc: 'A level.', values: ['info', 'off'], default: 'off' }) },
    }),
    devices: listOf({
      doc: 'Devices.',
      default: [],
      of: object({
        doc: 'One.',
        keys: {
          unit: optional(integer({ doc: 'A unit.' })),
          host: string({ doc: 'A host.', example: 'plc: 1' }),
          registers: listOf({
            doc: 'Registers.',
            of: object({ doc: 'One.', keys: { address: integer({ doc: 'An address.', example: 7 }) } }),
          }),
        },
      }),
    }),
    needed: listOf({
      doc: 'Needed.',
      of: object({ doc: 'One.', keys: { name: string({ doc: 'A name.', example: 'yes' }) } }),
    }),
    tags: mapOf({
      doc: 'Tags.',
      key: { values: 'names', pattern: /^\w+$/ },
      of: object({ doc: 'A tag.', keys: { value: string({ doc: 'A value.', example: '3' }) } }),
    }),
    broker: unionOf({
      doc: 'A broker.',
      discriminator: 'kind',
      default: 'embedded',
      variants: {
        embedded: object({ doc: 'E.', keys: { limit: integer({ doc: 'A limit.', default: 3 }) } }),
        external: object({ doc: 'X.', keys: { password: secret({ doc: 'A password.' }) } }),
      },
    }),
    tls: eitherOf({
      doc: 'TLS.',
      word: oneOf({ doc: 'A word.', values: ['auto', 'off'], default: 'auto' }),
      structure: object({ doc: 'Files.', keys: { key: string({ doc: 'A key.', example: '/k.pem' }) } }),
    }),
    every: duration({ doc: 'An interval.', default: '10s', min: '1s', max: '60s' }),
  },
});

const paths = [
  'size', 'zone', 'log', 'log.level', 'devices', 'devices[].unit', 'devices[].host', 'devices[].registers',
  'devices[].registers[].address', 'needed', 'needed[].name', 'tags', 'tags.<name>.value', 'broker', 'broker.limit',
  'broker.password', 'tls', 'tls.key', 'every',
]; // biome-ignore format: a list of words

test('every key is known once', () => {
  expect(
    flatKeys(documentedKeys(schema))
      .map(({ path }) => path)
      .sort(),
  ).toEqual([...paths].sort());
});

test('the reference names every key once, with doc, values and default', () => {
  const page = markdownText(schema, 'Title', 'Introduction.');
  for (const path of paths) expect(page.split(`\`${path}\``).length - 1, path).toBe(1);
  expect(page).toMatch(/^# Title\n\nIntroduction\.\n/);
  const cells = (path: string) =>
    page
      .split('\n')
      .find((line) => line.startsWith(`| \`${path}\``))
      ?.split(/(?<!\\)\|/)
      .map((cell) => cell.trim());
  expect(cells('size')).toEqual(['', '`size`', 'A size \\| with a bar.', 'a size', '`64MB`', '']);
  expect(cells('every')).toEqual(['', '`every`', 'An interval.', 'a duration from 1s to 60s', '`10s`', '']);
  expect(cells('broker.password')?.[4]).toBe('required');
  expect(cells('zone')?.[4]).toBe('–');
});

describe('the sample', () => {
  const sample = sampleText(schema, 'An introduction.');

  test('as it is, says nothing', () => {
    expect(parse(sample)).toBeNull();
    expect(sample.split('\n').every((line) => line === '' || line.startsWith('#'))).toBe(true);
    expect(Math.max(...sample.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test('with the comment signs taken off, is right and says the defaults', () => {
    const settings = sample.replace(/^#(?!#)/gm, '');
    expect(parse(settings)).toEqual({
      size: '64MB',
      log: { level: 'off' },
      devices: [],
      needed: [{ name: 'yes' }],
      tags: { example: { value: '3' } },
      broker: { kind: 'embedded', limit: 3 },
      tls: 'auto',
      every: '10s',
    });
    expect(parseYaml(settings, schema)).toMatchObject({ ok: true });
  });

  test('explains every key', () => {
    for (const { doc } of flatKeys(documentedKeys(schema))) expect(sample.replace(/\n[# ]+/g, ' '), doc).toContain(doc);
  });
});

describe('the JSON Schema', () => {
  const json = JSON.parse(jsonSchemaText(schema, 'Title')) as Record<string, Record<string, Record<string, unknown>>>;

  test('says of each key what the parser does', () => {
    expect(json.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(json.required).toEqual(['needed', 'tags']);
    expect(json.additionalProperties).toBe(false);
    expect(json.properties?.size).toEqual({
      type: 'string',
      pattern: '^[0-9]+(\\.[0-9]+)? ?([kKMGT]i?)?B$',
      description: 'A size | with a bar.',
      default: '64MB',
    });
    expect(json.properties?.broker?.oneOf).toHaveLength(2);
  });

  test('has none of our own keywords', () => {
    expect(jsonSchemaText(schema, 'Title')).not.toContain('"x-');
  });

  test('has defaults that the parser takes', () => {
    const properties = json.properties as Record<string, { default?: unknown }>;
    const defaults = Object.fromEntries(
      Object.entries(properties).flatMap(([key, { default: value }]) => (value === undefined ? [] : [[key, value]])),
    );
    const input = { ...defaults, needed: [{ name: 'a' }], tags: {} };
    expect(parseValue(schema, input)).toEqual(parseValue(schema, { needed: [{ name: 'a' }], tags: {} }));
  });
});

test('a list of several kinds of mappings shows the keys of each', () => {
  const name = string({ doc: 'A name.', example: 'n' });
  const kinds = unionOf({
    doc: 'One.',
    discriminator: 'kind',
    variants: { a: object({ doc: 'A.', keys: { name } }), b: object({ doc: 'B.', keys: { other: name } }) },
  });
  const list = object({ doc: 'All.', keys: { them: listOf({ doc: 'Some.', of: kinds, default: [] }) } });
  expect(flatKeys(documentedKeys(list)).map(({ path }) => path)).toEqual(['them', 'them[].name', 'them[].other']);
  expect(markdownText(list, 'T', 'i')).toContain('With `kind: b`:');
  const sample = sampleText(list, 'i');
  expect(sample).toContain('- kind: b');
  const settings = sample.replace(/^#(?!#)/gm, '');
  expect(parse(settings)).toEqual({ them: [] });
});

test.each([
  ['plain'],
  ['127.0.0.1:7070'],
  ['yes'],
  ['null'],
  ['1.5'],
  ['a: b'],
  ['#x'],
  ['- x'],
  ['*x'],
  ['mqtts://h:1'],
  [''],
  ["it's"],
  ['"q"'],
  ['a:'],
  ['{x}'],
  ['12:30'],
  ['é'],
  [3],
  [true],
  [null],
  [['a', 1]],
  [{ a: 'yes', b: [1] }],
  [{}],
  [[]],
])('%j written on one line reads as itself', (value) => {
  expect(parse(inline(value))).toEqual(value);
});
