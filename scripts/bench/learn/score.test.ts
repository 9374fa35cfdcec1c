import { expect, it } from 'vitest';
import type { Incident, RankedFinding } from '../../../shared/findings.ts';
import type { Injected } from './faults.ts';
import { count, emptyTally, judge, perWeek, recall } from './score.ts';

const startMs = Date.UTC(2026, 0, 5);
const at = (row: number): number => startMs + row * 60_000;
const fault: Injected = { kind: 'shift', metric: 'replay.01', from: 1000, to: 1240 };

function incident(openedRow: number, metric: string, sinceRow = openedRow, lastRow = openedRow): Incident {
  const key = { name: metric, unit: '1', attributes: {} };
  const finding = { key, detector: 'surprise', sinceMs: at(sinceRow), lastMs: at(lastRow) } as RankedFinding;
  return { openedMs: at(openedRow), findings: [finding] } as unknown as Incident;
}

const life = (...incidents: Incident[]) => ({
  incidents,
  faults: [fault],
  unsure: [{ from: 3000, to: 3100 }],
  startMs,
});

it('what opens when nothing is wrong is false; on a fault’s metric in its time it is real; all else is nobody’s', () => {
  const { incidents: _, ...known } = life();
  expect(judge(incident(500, 'replay.01'), known)).toEqual({ is: 'false' });
  expect(judge(incident(1005, 'replay.01'), known)).toEqual({ is: 'real', kind: 'shift' });
  expect(judge(incident(1005, 'replay.02'), known)).toEqual({ is: 'unsure' });
  expect(judge(incident(1299, 'replay.01'), known)).toEqual({ is: 'real', kind: 'shift' });
  expect(judge(incident(1300, 'replay.01'), known)).toEqual({ is: 'false' });
  expect(judge(incident(3050, 'replay.01'), known)).toEqual({ is: 'unsure' });
});

it('counts false ones over the time in which nothing was wrong', () => {
  const tally = emptyTally();
  count(tally, life(incident(500, 'replay.01'), incident(2000, 'replay.02'), incident(1010, 'replay.02')), {
    from: 0,
    to: 10_080,
  });
  expect(tally.false).toBe(2);
  expect(tally.clearRows).toBe(10_080 - 300 - 100);
  expect(perWeek(tally)).toBeCloseTo((2 * 10_080) / 9_680, 9);
  expect(recall(tally)).toBe(0);
});

it('a fault is found by an incident that was open before, once it speaks of its metric', () => {
  const found = emptyTally();
  count(found, life(incident(900, 'replay.01', 1001, 1100)), { from: 0, to: 2000 });
  expect(recall(found)).toBe(1);
  const over = emptyTally();
  count(over, life(incident(900, 'replay.01', 900, 999)), { from: 0, to: 2000 });
  expect(recall(over)).toBe(0);
  // Only faults that begin within the span are counted.
  const other = emptyTally();
  count(other, life(incident(1001, 'replay.01')), { from: 1001, to: 2000 });
  expect(other.faults).toBe(0);
});
