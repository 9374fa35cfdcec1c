import { describe, expect, it } from 'vitest';
import type { Incident } from './findings.ts';
import { readIncident } from './incident-json.ts';

const epoch = 'e'.repeat(32);
const key = { name: 'system.disk.operation_latency', unit: 's', attributes: { 'system.device': 'sda' } };
const finding = {
  series: 'a'.repeat(16),
  key,
  detector: 'surprise',
  tier: 'full',
  sinceMs: 1_000,
  lastMs: 2_000,
  seen: 0.041,
  expectedLow: 0.0004,
  expectedHigh: 0.0021,
  bits: 40,
  returnPeriodMs: 1e12,
  contribution: 1,
  text: 'disk latency (sda) 41 ms',
} as const;
const plain: Incident = {
  epoch,
  seq: 7,
  revision: 2,
  state: 'open',
  severity: 'warning',
  openedMs: 1_000,
  updatedMs: 2_000,
  closedMs: null,
  title: 'disk latency (sda) 41 ms',
  findings: [finding],
  more: 0,
};
const full: Incident = {
  ...plain,
  findings: [
    {
      ...finding,
      intervalMs: 60_000,
      shape: 'shift',
      members: [{ series: 'b'.repeat(16), key, share: 0.7, seen: 1, expectedLow: null, expectedHigh: 3 }],
      forecast: { reaches: 'full', bound: 1, etaMs: 9e12, earliestMs: 8e12, latestMs: null, perDay: 0.02 },
      rule: 'disk-full',
      limit: 0.95,
      severity: 'critical',
      wrong: 'less than 5 % free',
      advice: 'Delete something.',
      ended: true,
      holds: true,
      muted: true,
    },
  ],
  changes: [{ atMs: 900, kind: 'mount', text: '/data was mounted' }],
  notify: { wakes: true, reason: 'budget', cost: 1, perWeek: 0.03 },
  excessBits: 14,
};
const wire = (incident: unknown): unknown => JSON.parse(JSON.stringify(incident));

describe('an incident as JSON', () => {
  it('is read as it was written, with and without what was added later', () => {
    for (const incident of [plain, full]) expect(readIncident(wire(incident), '', 0)).toEqual(incident);
  });

  it('of a newer agent is read without the words that are not known', () => {
    const newer = {
      ...full,
      colour: 'red',
      notify: { ...full.notify, reason: 'moon' },
      changes: [{ ...full.changes![0]!, kind: 'weather' }],
      findings: [
        { ...full.findings[0]!, shape: 'spiral', detector: 'oracle', forecast: { reaches: 'heaven', etaMs: 1 }, x: {} },
      ],
    };
    const read = readIncident(wire(newer), '', 0);
    expect(read).not.toHaveProperty('colour');
    expect(read).not.toHaveProperty('notify');
    expect(read.changes).toEqual([{ atMs: 900, kind: 'state', text: '/data was mounted' }]);
    expect(read.findings[0]).toMatchObject({ detector: 'oracle', rule: 'disk-full' });
    for (const field of ['shape', 'forecast', 'x']) expect(read.findings[0]).not.toHaveProperty(field);
  });

  it('takes its id from the record that opened it', () => {
    expect(readIncident({ ...plain, epoch: '', seq: 0 }, epoch, 9)).toMatchObject({ epoch, seq: 9 });
  });

  it.each([
    ['too many members', { findings: [{ ...finding, members: Array(9).fill(full.findings[0]!.members![0]) }] }],
    [
      'a member’s share above 1',
      { findings: [{ ...finding, members: [{ ...full.findings[0]!.members![0]!, share: 2 }] }] },
    ],
    ['too many changes', { changes: Array(9).fill(full.changes![0]) }],
    ['a change without a time', { changes: [{ kind: 'mount', text: 'x' }] }],
    ['advice without end', { findings: [{ ...finding, advice: 'x'.repeat(2_001) }] }],
    ['a rule that is no name', { findings: [{ ...finding, rule: {} }] }],
    ['a forecast without a time', { findings: [{ ...finding, forecast: { reaches: 'full' } }] }],
    ['a cost that is no number', { notify: { ...full.notify, cost: 'all' } }],
    ['changes that are no list', { changes: { length: 1 } }],
    ['bits that are infinite', { excessBits: '1e999' }],
  ])('with %s is refused', (_what, wrong) => {
    expect(() => readIncident(wire({ ...plain, ...wrong }), '', 0)).toThrow(
      expect.objectContaining({ code: 'payload.invalid' }),
    );
  });
});
