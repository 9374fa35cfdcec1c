/** The budgets of false alarms as metrics. */
import type { BudgetState } from '../budget/api.ts';
import { labelsOf, type MetricsPage } from './prometheus.ts';

export function addBudgetMetrics(page: MetricsPage, budget: BudgetState): void {
  const fleet: readonly (readonly [name: string, help: string, value: number])[] = [
    ['per_week', 'Notifications a week that the fleet may spend on what statistics find', budget.notificationsPerWeek],
    ['spent_last_week', 'Notifications of the last seven days that statistics caused', budget.spentLastWeek],
    ['refused_last_week', 'Incidents that found no notification left to pay with', budget.refusedLastWeek],
  ];
  for (const [name, help, value] of fleet) page.add('gauge', `picket_budget_notifications_${name}`, help, '', value);
  for (const agent of budget.agents) {
    const labels = labelsOf({}, { agent: agent.agent });
    const own: readonly (readonly [name: string, help: string, value: number | null])[] = [
      ['notifications_per_week', 'Share of the notifications that the agent goes by', agent.appliedPerWeek],
      ['notifications_spent_last_week', 'Notifications of the last seven days of the agent', agent.spentLastWeek],
      ['findings_per_day', 'Incidents a day that the agent may show without waking anybody', agent.findingsPerDay],
      ['findings_spent_per_day', 'Incidents a day that the agent showed in the last week', agent.findingsSpentPerDay],
      ['bar_bits', 'Bits from which on the agent calls something a finding', agent.barBits],
    ];
    for (const [name, help, value] of own) {
      if (value !== null) page.add('gauge', `picket_agent_budget_${name}`, help, labels, value);
    }
  }
}
