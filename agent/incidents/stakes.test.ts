import { expect, test } from 'vitest';
import { resourceOf, stakeOf } from './stakes.ts';

const usage = (attributes: Record<string, string>) => ({ name: 'process.cpu.utilization', unit: '1', attributes });
const pump = usage({ 'process.watched.name': 'pump-control' });

test('what the agent uses is its own, what a watched process uses is a matter of that process', () => {
  expect(stakeOf(usage({}))).toBe('own');
  expect(stakeOf(pump)).toBe('usual');
  expect(resourceOf(pump)).not.toBe(resourceOf(usage({ 'process.watched.name': 'web' })));
});
