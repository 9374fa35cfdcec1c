/** What runs out soonest, over all machines. */
import { useState } from 'preact/hooks';
import type { AgentState } from '../../api.ts';
import type { SoonestEnd } from '../../forecast/api.ts';
import { get } from '../api.ts';
import { useZone } from '../components/zone.ts';
import { endText, isSoon } from '../metrics/ends.ts';
import { useResource } from '../resource.ts';

const FIRST_SHOWN = 3;
const ASKED = 50;

export function FleetEnds({ agents, now }: { readonly agents: readonly AgentState[]; readonly now: number }) {
  const ends = useResource('soonest ends', (signal) =>
    get<{ ends: readonly SoonestEnd[] }>(`/forecasts?limit=${ASKED}`, signal),
  );
  const [all, setAll] = useState(false);
  const zone = useZone();
  const found = ends.data?.ends ?? [];
  if (found.length === 0) return null;
  const names = new Map(agents.map(({ id, name }) => [id, name]));
  const shown = all ? found : found.slice(0, FIRST_SHOWN);
  return (
    <section class="open-incidents ends" aria-label="Runs out soonest" data-role="fleet-ends">
      <h2>Runs out soonest</h2>
      <ul>
        {shown.map((end) => (
          <li key={`${end.agent} ${end.series} ${end.reaches}`}>
            <a href={`/machine/${end.agent}/forecasts`}>
              <b>{names.get(end.agent) ?? end.agent}</b>
              <span class="what">{end.thing}</span>
              <span class={isSoon(end.reached, now) ? 'when soon' : 'when'}>
                {endText(end.reached, end.reaches, zone, now)}
              </span>
            </a>
          </li>
        ))}
      </ul>
      {found.length > FIRST_SHOWN && (
        <button type="button" class="link" onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${found.length}`}
        </button>
      )}
    </section>
  );
}
