/** What the fleet has spent of its budget of notifications. */
import { useEffect } from 'preact/hooks';
import type { BudgetState } from '../../budget/api.ts';
import { get } from '../api.ts';
import type { Fleet } from '../fleet.ts';
import { digits } from '../format.ts';
import { useResource } from '../resource.ts';

/** What an incident cost is counted some seconds after it is told. */
const COUNTED_MS = 10_000;

export function FleetBudget({ fleet }: { readonly fleet: Fleet }) {
  const budget = useResource('budget', (signal) => get<BudgetState>('/budget?agents=false', signal));
  useEffect(() => {
    let timer = 0;
    const end = fleet.onNews(({ type }) => {
      if (type !== 'incident' || timer !== 0) return;
      timer = window.setTimeout(() => {
        timer = 0;
        budget.reload();
      }, COUNTED_MS);
    });
    return () => {
      clearTimeout(timer);
      end();
    };
  }, [fleet, budget.reload]);
  if (budget.data === undefined) return null;
  const { notificationsPerWeek, spentLastWeek, refusedLastWeek } = budget.data;
  const over = spentLastWeek > notificationsPerWeek;
  return (
    <p class={`store-line ${over ? 'low' : ''}`} data-role="fleet-budget">
      <span title="For what statistics found. Rules, forecasts and data quality cost nothing.">
        notifications <b>{digits(spentLastWeek)}</b> of {digits(notificationsPerWeek)} this week
      </span>
      {refusedLastWeek > 0 && <span>{digits(refusedLastWeek)} shown only, as none was left</span>}
    </p>
  );
}
