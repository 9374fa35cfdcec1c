/** What a machine has spent of its two budgets of false alarms, in their own units. */
import type { AgentState } from '../../api.ts';
import { digits } from '../format.ts';

export function BudgetLine({ agent }: { readonly agent: AgentState }) {
  const of = (name: string): number | null => agent.reported?.health[`picket.budget.${name}`] ?? null;
  const shown = of('findings.spent');
  const perDay = of('findings.allowed');
  const paid = of('notifications.spent');
  const perWeek = of('notifications.allowed');
  const refused = of('notifications.refused');
  if (shown === null || perDay === null || paid === null || perWeek === null) return null;
  return (
    <p class="budget-line" data-role="budget">
      <span title="Incidents that statistics found, over the last week. Rules, forecasts and data quality cost nothing.">
        shown <b>{digits(shown)}</b> of {digits(perDay)} incidents a day
      </span>
      <span title="Out of this machine’s share of the fleet’s notifications.">
        woke somebody <b>{digits(paid)}</b> of {digits(perWeek)} times a week
        {refused !== null && refused >= 0.5 && `, ${digits(refused)} refused`}
      </span>
    </p>
  );
}
