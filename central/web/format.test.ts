import { describe, expect, it } from 'vitest';
import {
  counted,
  digits,
  formatCount,
  formatPercent,
  formatRange,
  formatShare,
  formatValue,
  scaleOf,
  unitWords,
} from './format.ts';

describe('values with their units', () => {
  it.each([
    [0.421, '1', '42.1 %'],
    [1, '1', '100 %'],
    [0, '1', '0 %'],
    [1023, 'By', '1023 B'],
    [1024, 'By', '1 KiB'],
    [3 * 2 ** 30, 'By', '3 GiB'],
    [1_572_864, 'By/s', '1.5 MiB/s'],
    [0.000_25, 's', '250 µs'],
    [0.012, 's', '12 ms'],
    [61, 's', '61 s'],
    [7_200, 's', '2 h'],
    [864_000, 's', '10 days'],
    [250, 'ms', '250 ms'],
    [2.6e9, 'Hz', '2.6 GHz'],
    [1e9, 'bit/s', '1 Gbit/s'],
    [51.25, 'Cel', '51.3 °C'],
    [9_999, '{packet}/s', '9999/s'],
    [12_000, '{packet}/s', '12k/s'],
    [3, '{task}', '3'],
    [1_180, 'rpm', '1180 rpm'],
    [4.2, 'bar', '4.2 bar'],
    [-0.5, '1', '-50 %'],
  ])('%d %s is %s', (value, unit, text) => {
    expect(formatValue(value, unit)).toBe(text);
  });

  it('says that there is none', () => {
    for (const none of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY])
      expect(formatValue(none, 'By')).toBe('–');
  });

  it('tells both ends of a range in one unit, and equal ends once', () => {
    expect(formatRange(0.01, 0.12, '1')).toBe('1–12 %');
    expect(formatRange(512, 4096, 'By')).toBe('0.5–4 KiB');
    expect(formatRange(2, 2, '{task}')).toBe('2');
    expect(formatRange(-4, -2, 'Cel')).toBe('-4 to -2 °C');
  });

  it('keeps a number below the next prefix where rounding would reach it', () => {
    expect(scaleOf(1024 ** 2 - 1, 'By').unit).toBe('KiB');
    expect(scaleOf(1024 ** 2, 'By').unit).toBe('MiB');
  });
});

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.000_1, '0'],
    [0.069, '0.069'],
    [9.994, '9.99'],
    [99.96, '100'],
    [100.4, '100'],
    [1_234_567, '1.2e+6'],
  ])('%d has three digits: %s', (value, text) => {
    expect(digits(value)).toBe(text);
  });

  it('groups whole numbers', () => {
    expect(formatCount(1_234_567)).toBe('1\u2009234\u2009567');
    expect(formatCount(999)).toBe('999');
  });

  it('does not call a small share nothing', () => {
    expect(formatShare(0.000_4)).toBe('<0.1 %');
    expect(formatPercent(0.001)).toBe('<1 %');
    expect(formatPercent(0)).toBe('0 %');
  });
});

describe('words', () => {
  it.each([
    ['{packet}/s', 'packets/s'],
    ['{process}', 'processes'],
    ['{switch}/s', 'switches/s'],
    ['{cpu}', 'CPUs'],
    ['By/s', ''],
    ['1', ''],
  ])('%s is %s', (unit, words) => {
    expect(unitWords(unit)).toBe(words);
  });

  it('counts', () => {
    expect(counted(1, 'open incident')).toBe('1 open incident');
    expect(counted(0, 'open incident')).toBe('0 open incidents');
  });
});
