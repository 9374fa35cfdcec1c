/** Changes of states, booleans and texts, the newest first. */

import type { StateEvent } from '../../../shared/findings.ts';
import type { AgentState } from '../../api.ts';
import { get } from '../api.ts';
import { About, Empty, Failure, Moment, Skeleton } from '../components/parts.tsx';
import type { Fleet } from '../fleet.ts';
import { quietAttributes, titleFromName } from '../metrics/titles.ts';
import { useResource } from '../resource.ts';
import { useReloadOn } from './reload.ts';

export function EventsPanel({ agent, fleet }: { readonly agent: AgentState; readonly fleet: Fleet }) {
  const events = useResource(`events ${agent.id}`, (signal) =>
    get<{ events: readonly StateEvent[] }>(`/agents/${agent.id}/events?limit=500`, signal),
  );
  useReloadOn(fleet, agent.id, 'summary', events.reload);
  if (events.data === undefined) {
    if (events.error !== undefined) return <Failure error={events.error} onRetry={events.reload} />;
    return <Skeleton lines={6} label="Loading the events" />;
  }
  if (events.data.events.length === 0) {
    return (
      <Empty title="No state has changed in the last 14 days">
        <p class="hint">Links that go up or down, alarms of devices, the clock’s synchronisation appear here.</p>
      </Empty>
    );
  }
  const sorted = [...events.data.events].sort((a, b) => b.atMs - a.atMs);
  return (
    <div class="panel scroll-x">
      <table class="plain">
        <thead>
          <tr>
            <th>When</th>
            <th>What</th>
            <th>Of</th>
            <th>Change</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((event) => (
            <tr key={`${event.atMs} ${event.series} ${event.to}`}>
              <td>
                {event.uncertain && <About />}
                <Moment ms={event.atMs} />
              </td>
              <td title={event.key.name}>{titleFromName(event.key.name)}</td>
              <td>{instanceOf(event)}</td>
              <td>
                {event.from !== null && <span class="faint">{event.from} → </span>}
                <b>{event.to}</b>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function instanceOf(event: StateEvent): string {
  return Object.entries(event.key.attributes)
    .filter(([name]) => !quietAttributes.has(name))
    .map(([, value]) => value)
    .join(', ');
}
