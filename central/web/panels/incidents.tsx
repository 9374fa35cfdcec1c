/** All incidents of a machine, those that are open first. */
import type { AgentState } from '../../api.ts';
import type { StoredIncident } from '../../store/store.ts';
import { nowMs } from '../api.ts';
import { Empty, Failure, Skeleton } from '../components/parts.tsx';
import { counted } from '../format.ts';
import type { Resource } from '../resource.ts';
import { go } from '../router.ts';
import { rangeAround, rangeQuery } from '../time.ts';
import { BudgetLine } from './budget-line.tsx';
import { IncidentCard, incidentKey } from './incident-card.tsx';

interface Props {
  readonly agent: AgentState;
  readonly incidents: Resource<{ readonly incidents: readonly StoredIncident[] }>;
}

export function IncidentsPanel({ agent, incidents }: Props) {
  if (incidents.data === undefined) {
    if (incidents.error !== undefined) return <Failure error={incidents.error} onRetry={incidents.reload} />;
    return <Skeleton lines={4} label="Loading the incidents" />;
  }
  const all = incidents.data.incidents;
  const byTime = (a: StoredIncident, b: StoredIncident): number => b.openedMs - a.openedMs;
  const open = all.filter(({ state }) => state === 'open').sort(byTime);
  const closed = all.filter(({ state }) => state === 'closed').sort(byTime);
  if (all.length === 0) {
    return (
      <div class="panel">
        <BudgetLine agent={agent} />
        <Empty title="No incident in the last 30 days">
          <p class="hint">An incident appears when values leave what this machine was seen to do before.</p>
        </Empty>
      </div>
    );
  }
  const show = (incident: StoredIncident): void => {
    const range = rangeAround(incident.openedMs, incident.closedMs ?? nowMs(), nowMs());
    const query = new URLSearchParams({ incident: incidentKey(incident) });
    for (const [name, value] of Object.entries(rangeQuery(range))) if (value !== null) query.set(name, value);
    go(`/machine/${agent.id}?${query}`);
  };
  const list = (some: readonly StoredIncident[]) =>
    some.map((incident) => (
      <IncidentCard
        key={incidentKey(incident)}
        incident={incident}
        folded={incident.state === 'closed'}
        onShow={show}
        onSeries={() => show(incident)}
      />
    ));
  return (
    <div class="panel">
      <BudgetLine agent={agent} />
      {open.length > 0 && (
        <section>
          <h2>{counted(open.length, 'open incident')}</h2>
          {list(open)}
        </section>
      )}
      {closed.length > 0 && (
        <section>
          <h2>{closed.length} closed, in the last 30 days</h2>
          {list(closed)}
        </section>
      )}
    </div>
  );
}
