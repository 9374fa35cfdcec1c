import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PicketError } from '../errors.ts';
import { integer, listOf, object, string } from './types.ts';
import { formatProblems, parseYaml, parseYamlOrThrow } from './yaml.ts';

const doc = 'Something.';
const schema = object({
  doc,
  keys: {
    host: string({ doc, default: 'localhost' }),
    port: integer({ doc, default: 1, max: 9 }),
    log: object({ doc, keys: { level: string({ doc, default: 'info' }) } }),
    list: listOf({ doc, default: [], of: object({ doc, keys: { a: integer({ doc }) } }) }),
  },
});

function complaints(source: string): string {
  const result = parseYaml(source, schema);
  return result.ok ? '' : formatProblems('f', result.problems);
}

test('an empty file is all defaults', () => {
  const value = { host: 'localhost', port: 1, log: { level: 'info' }, list: [] };
  for (const source of ['', '\n', '# nothing\n', 'log:\n', '{}', '\ufeff']) {
    expect(parseYaml(source, schema)).toEqual({ ok: true, value });
  }
});

test('block and flow style, CRLF and anchors are read', () => {
  const value = { host: 'a', port: 2, log: { level: 'x' }, list: [{ a: 3 }, { a: 3 }] };
  expect(
    parseYaml('host: a\r\nport: 2\r\nlog: {level: x}\r\nlist:\r\n  - &one {a: 3}\r\n  - *one\r\n', schema),
  ).toEqual({ ok: true, value });
});

describe('a mistake is named with its place', () => {
  test.each([
    ['port: 10', 'f:1:7: port: 10 is not allowed: must be a whole number of at most 9.'],
    ['# x\nprot: 3', 'f:2:1: prot: "prot" is not a key that is known here. Did you mean `port`?'],
    ['log:\n  level: 5', 'f:2:10: log.level: 5 is not allowed: must be a text. Put it in quotes to make it a text.'],
    ['list:\n  - a: 1\n  - {a: x}', 'f:3:9: list[1].a: "x" is not allowed: must be a whole number.'],
    ['list:\n  - a: 1\n  -', 'f:3:4: list[1]: the entry is empty: fill it in or take it out.'],
    ['list: [{}]', 'f:1:8: list[0].a: is missing: must be a whole number.'],
    [
      'x: &x {a: y}\nlist: [*x]',
      'f:1:1: x: "x" is not a key that is known here. Known here: `host`, `port`, `log`, `list`.\nf:1:11: list[0].a: "y" is not allowed: must be a whole number.',
    ],
    ['- a', 'f:1:1: a list is not allowed: must be a mapping of keys to values.'],
    ['port: .nan', 'f:1:7: port: NaN is not allowed: must be a whole number of at most 9.'],
    ['port: 1e999', 'f:1:7: port: Infinity is not allowed: must be a whole number of at most 9.'],
  ])('%j', (source, message) => {
    expect(complaints(source)).toBe(message);
  });
});

describe('what is no YAML, or more YAML than a configuration has', () => {
  test.each([
    ['log:\n\tlevel: x', /^f:2:1: not valid YAML: .*tabs.* Use spaces\.$/i],
    ['host: "a', /^f:1:\d+: not valid YAML/],
    ['host: a: b', /^f:1:7: not valid YAML/],
    ['host: [', /^f:1:\d+: not valid YAML/],
    ['host: a\n---\nhost: b', /^f:2:1: there is a second document/],
    ['host: a\nhost: b', /^f:2:1: "host" is there already/],
    ['? [a]\n: 3', /^f:1:3: a key must be a plain text/],
    ['{a: 1}: 3', /^f:1:1: a key must be a plain text/],
    [': 3', /a key must be a plain text/],
    ['host: *nobody', /^f:1:7: `\*nobody` refers to nothing/],
    ['host: !!js/function x', /^f:1:7: not valid YAML: Unresolved tag/],
    ['host: !!binary aGVsbG8=', /^f:1:7: not valid YAML: Unresolved tag/],
    ['__proto__: {host: a}', /^f:1:1: __proto__: /],
    ['list: &l [*l]', /^f:1:\d+: /],
    ['\u0000\u0001', /^f:1:1: /],
  ])('%j', (source, message) => {
    expect(complaints(source)).toMatch(message);
  });
});

describe('what would take memory or time', () => {
  const bomb = [
    'a0: &a0 [x,x,x,x,x,x,x,x,x]',
    ...Array.from({ length: 10 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(6).fill(`*a${i}`).join(',')}]`),
  ].join('\n');
  test.each([
    ['aliases that grow by nesting', bomb, /aliases .* more than 64 times/],
    ['many aliases', `x: &a 1\nlist: [${'*a,'.repeat(50_000)}]`, /aliases .* more than 64 times/],
    ['brackets without end', '['.repeat(250_000), /nested deeper than 16/],
    ['mappings without end', '{a: '.repeat(60_000), /nested deeper than 16/],
    ['dashes without end', '- '.repeat(100_000), /nested deeper than 16/],
    ['keys without end', '? '.repeat(100_000), /nested deeper than 16/],
    [
      'indentation without end',
      Array.from({ length: 600 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /nested deeper than 16/,
    ],
    ['a large file', `# ${'x'.repeat(300_000)}`, /larger than 262144 bytes/],
    ['a file that is large in UTF-8 alone', `# ${'é'.repeat(140_000)}`, /larger than 262144 bytes/],
  ])('%s', (_what, source, message) => {
    expect(complaints(source)).toMatch(message);
  });

  test('just as deep as is allowed is no matter of depth', () => {
    expect(complaints(`${'['.repeat(16)}1${']'.repeat(16)}`)).toMatch(/a list is not allowed/);
    expect(complaints(`${'['.repeat(17)}${']'.repeat(17)}`)).toMatch(/nested deeper than 16/);
  });
});

test('no text makes it throw, and every place lies in the text', () => {
  const word = fc.constantFrom(
    'host',
    'port',
    'log',
    'list',
    'a',
    ':',
    ': ',
    '\n',
    '  ',
    '- ',
    '&x ',
    '*x',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
    "'",
    '|',
    '>',
    '!!str ',
    '#',
    '1',
    '? ',
    '---\n',
    '%',
  );
  const source = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(word, { maxLength: 40 }).map((words) => words.join('')),
  );
  fc.assert(
    fc.property(source, (text) => {
      const result = parseYaml(text, schema);
      if (result.ok) return;
      const lines = text.split('\n').length;
      for (const { line, column } of result.problems) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(lines);
        expect(column).toBeGreaterThanOrEqual(1);
      }
    }),
    { numRuns: 500 },
  );
});

test('what throws carries code, line and column', () => {
  try {
    parseYamlOrThrow('a: 1\nport: x', schema, '/etc/f.yaml');
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(PicketError);
    expect(error).toMatchObject({ code: 'config.invalid', detail: { line: 1, column: 1 } });
    expect((error as Error).message.split('\n')).toHaveLength(2);
  }
});
