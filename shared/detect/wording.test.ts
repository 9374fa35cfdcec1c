import { describe, expect, it } from 'vitest';
import { describeRarity, describeSeries, describeSpan, formatRange, formatValue } from './wording.ts';

describe('wording', () => {
  it.each([
    [0.98, '1', '98 %'],
    [0.0123, '1', '1.23 %'],
    [0, '1', '0 %'],
    [4300800, 'By/s', '4.1 MiB/s'],
    [512, 'By', '512 B'],
    [-2048, 'By', '-2 KiB'],
    [0.041, 's', '41 ms'],
    [0.0004, 's', '400 µs'],
    [5, 's', '5 s'],
    [600, 's', '10 min'],
    [41.26, 'Cel', '41.3 °C'],
    [2_400_000_000, 'Hz', '2.4 GHz'],
    [152, '{process}', '152'],
    [20_300, '{packet}/s', '20.3 k/s'],
    [12.5, 'V', '12.5 V'],
    [1e300, 'V', '1.0e+300 V'],
  ])('writes %d %s as %s', (value, unit, text) => {
    expect(formatValue(value, unit)).toBe(text);
  });

  it('writes a range in one unit', () => {
    expect(formatRange(0.01, 0.12, '1')).toBe('1–12 %');
    expect(formatRange(512 * 1024, 4 * 1024 * 1024, 'By')).toBe('0.5–4 MiB');
    expect(formatRange(0.0004, 0.0021, 's')).toBe('0.4–2.1 ms');
    expect(formatRange(-10, -5, 'Cel')).toBe('-10 to -5 °C');
    expect(formatRange(7, 7, 'V')).toBe('7 V');
  });

  it('names common metrics in words, and others by their names', () => {
    const attributes = { 'cpu.mode': 'user', 'cpu.logical_number': '3' };
    expect(describeSeries({ name: 'system.cpu.utilization', unit: '1', attributes })).toBe(
      'CPU utilisation (core 3, user)',
    );
    const watched = { 'process.watched.name': 'pump-control' };
    expect(describeSeries({ name: 'process.memory.usage', unit: 'By', attributes: watched })).toBe(
      'process memory (pump-control)',
    );
    expect(describeSeries({ name: 'process.memory.usage', unit: 'By', attributes: {} })).toBe("the agent's memory");
    expect(describeSeries({ name: 'boiler.flow', unit: 'l/s', attributes: {} })).toBe('boiler.flow');
    expect(describeSeries({ name: 'constructor', unit: '1', attributes: {} })).toBe('constructor');
    expect(describeSeries({ name: 'x'.repeat(255), unit: '1', attributes: {} }).length).toBe(120);
  });

  it('says how rare something is, and claims no more than ten years', () => {
    expect(describeRarity(30.5 * 86_400_000)).toBe('rarer than once in 30 days');
    expect(describeRarity(3_700_000)).toBe('rarer than once in an hour');
    expect(describeRarity(400 * 86_400_000)).toBe('rarer than once in a year');
    expect(describeRarity(1e300)).toBe('rarer than once in 10 years');
    expect(describeRarity(10)).toBe('not rare');
  });

  it('says spans of time', () => {
    expect([describeSpan(12_000), describeSpan(600_000), describeSpan(3 * 3_600_000)]).toEqual([
      '12 s',
      '10 min',
      '3 h',
    ]);
  });
});
