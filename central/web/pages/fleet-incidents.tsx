/** The open incidents of all machines, the gravest first. */
import { useState } from 'preact/hooks';
import type { AgentState } from '../../api.ts';
import type { ShownIncident, Verdict } from '../../feedback/api.ts';
import { Ago, SeverityMark } from '../components/parts.tsx';
import { counted } from '../format.ts';
import { verdictWords } from '../panels/incident-label.tsx';

const FIRST_SHOWN = 4;
const order = { critical: 0, warning: 1, info: 2 } as const;

interface Props {
  readonly incidents: readonly ShownIncident[];
  readonly agents: readonly AgentState[];
  readonly now: number;
}

export function OpenIncidents({ incidents, agents, now }: Props) {
  const [all, setAll] = useState(false);
  const [wanted, setWanted] = useState<Verdict | 'none' | ''>('');
  const names = new Map(agents.map(({ id, name }) => [id, name]));
  const listed = incidents.filter(({ label }) => wanted === '' || (label?.verdict ?? 'none') === wanted);
  const sorted = listed.sort((a, b) => order[a.severity] - order[b.severity] || b.openedMs - a.openedMs);
  const shown = all ? sorted : sorted.slice(0, FIRST_SHOWN);
  return (
    <section class="open-incidents" aria-label="Open incidents">
      <div class="head">
        <h2>{counted(incidents.length, 'open incident')}</h2>
        <label class="faint">
          Show{' '}
          <select
            data-role="label-filter"
            value={wanted}
            onChange={(event) => setWanted((event.currentTarget as HTMLSelectElement).value as typeof wanted)}
          >
            <option value="">all</option>
            <option value="none">not judged</option>
            {(Object.keys(verdictWords) as Verdict[]).map((verdict) => (
              <option key={verdict} value={verdict}>
                {verdictWords[verdict]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {listed.length === 0 && <p class="hint">None of them.</p>}
      <ul>
        {shown.map((incident) => (
          <li key={`${incident.agent} ${incident.epoch} ${incident.seq}`} class={incident.severity}>
            <a href={`/machine/${incident.agent}?incident=${incident.epoch}-${incident.seq}`}>
              <SeverityMark severity={incident.severity} />
              <b>{names.get(incident.agent) ?? incident.agent}</b>
              <span class="what">
                {incident.title}
                {incident.label !== undefined && <span class="faint"> ({verdictWords[incident.label.verdict]})</span>}
              </span>
              <span class="when">
                <Ago ms={incident.openedMs} now={now} />
              </span>
            </a>
          </li>
        ))}
      </ul>
      {sorted.length > FIRST_SHOWN && (
        <button type="button" class="link" onClick={() => setAll(!all)}>
          {all ? 'Show fewer' : `Show all ${sorted.length}`}
        </button>
      )}
    </section>
  );
}
