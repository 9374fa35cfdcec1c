import { describe, expect, it } from 'vitest';
import { DAY_MS, MINUTE_MS } from '../shared/limits.ts';
import { silentLog } from '../test/support/timers.ts';
import { AgentBudget } from './budget.ts';

function opened(saved: Uint8Array | null = null) {
  const kept: Uint8Array[] = [];
  const warnings: string[] = [];
  const budget = new AgentBudget({
    findingsPerDay: 1,
    notificationsPerWeek: 5,
    saved,
    keep: (state) => void kept.push(state),
    log: { ...silentLog, warn: (_: unknown, text?: string) => void warnings.push(text ?? '') },
  });
  budget.machine.setTrials('detect', 1e7);
  return { budget, kept, warnings };
}

/** Seconds pass. */
function pass(budget: AgentBudget, fromMs: number, ms: number): void {
  for (let at = fromMs; at <= fromMs + ms; at += 1000) budget.tick(at);
}

describe('the budgets of an agent', () => {
  it('go on after a restart where they stood, and a boot’s clock that begins anew takes nothing', () => {
    const { budget, kept } = opened();
    pass(budget, 0, 3 * 3_600_000);
    for (const bits of [40, 41, 42]) budget.machine.spend(bits);
    budget.notices.setShare(0.5);
    pass(budget, 3 * 3_600_000, MINUTE_MS);
    const after = opened(kept.at(-1)!).budget;
    expect(after.machine.bar()).toBeCloseTo(budget.machine.bar(), 3);
    after.tick(0);
    after.tick(500);
    // The share itself is kept with the manifest that said it.
    const share = 'picket.budget.notifications.allowed';
    expect({ ...after.figures(), [share]: 0 }).toEqual({ ...budget.figures(), [share]: 0 });
  });

  it('are kept at once when something was spent, and seldom otherwise', () => {
    const { budget, kept } = opened();
    pass(budget, 0, 9 * MINUTE_MS);
    expect(kept.length).toBe(0);
    budget.machine.spend(40);
    expect(budget.tick(9 * MINUTE_MS + 1000)).toBe(true);
    expect(kept.length).toBe(1);
    pass(budget, 9 * MINUTE_MS + 2000, 30 * MINUTE_MS);
    expect(kept.length).toBe(4);
  });

  it('count no time in which the machine slept', () => {
    const { budget } = opened();
    pass(budget, 0, 60 * MINUTE_MS);
    budget.machine.spend(40);
    const { 'picket.budget.bar': before } = budget.figures();
    budget.tick(60 * DAY_MS);
    expect(budget.figures()['picket.budget.bar']).toBeCloseTo(before!, 1);
  });

  it('save notifications up to half a week’s share, and never less than one', () => {
    const { budget } = opened();
    budget.notices.setShare(0.1);
    for (let week = 0; week < 60; week++) budget.notices.pass(7 * DAY_MS);
    expect(budget.figures()['picket.budget.notifications.saved']).toBe(1);
    budget.notices.setShare(20);
    budget.notices.pass(7 * DAY_MS);
    expect(budget.figures()['picket.budget.notifications.saved']).toBe(10);
    budget.notices.setShare(0.1);
    expect(budget.figures()['picket.budget.notifications.saved']).toBe(1);
  });

  it.each(['no JSON', '{"machine":{"lately":7}}', '{"notices":{"saved":-1}}', '[]'])(
    'begin anew where %s was kept',
    (text) => {
      const { budget, warnings } = opened(new TextEncoder().encode(text));
      expect(warnings.length).toBe(1);
      expect(budget.figures()['picket.budget.findings.spent']).toBe(0);
    },
  );
});
