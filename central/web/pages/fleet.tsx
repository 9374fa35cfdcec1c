/** The fleet: every machine with its state, its load, its incidents; and how the central itself is. */
import { useEffect, useMemo } from 'preact/hooks';
import type { AgentState } from '../../api.ts';
import { useCell } from '../cell.ts';
import { Failure, Skeleton } from '../components/parts.tsx';
import { useNow } from '../components/ticking.ts';
import type { Fleet } from '../fleet.ts';
import { firstDescending, listed, type SortKey, tagsOf, type Wanted, wantedFrom } from '../fleet-list.ts';
import { formatCount } from '../format.ts';
import { place, refine } from '../router.ts';
import { presenceOf, worstByAgent } from '../states.ts';
import { FirstMachine } from './enrol.tsx';
import { FleetBudget } from './fleet-budget.tsx';
import { FleetEnds } from './fleet-ends.tsx';
import { OpenIncidents } from './fleet-incidents.tsx';
import { FleetRow } from './fleet-row.tsx';
import { StoreLine } from './fleet-store.tsx';
import { StrangersNotice } from './fleet-strangers.tsx';

const NOW_MS = 5_000;

export function FleetPage({ fleet }: { readonly fleet: Fleet }) {
  const agents = useCell(fleet.agents);
  const error = useCell(fleet.error);
  useEffect(() => {
    document.title = 'Fleet · Picket';
  }, []);
  if (agents === undefined) {
    if (error !== undefined) return <Failure error={error} onRetry={fleet.reload} />;
    return <Skeleton lines={8} label="Loading the fleet" />;
  }
  if (agents.length === 0) return <FirstMachine fleet={fleet} />;
  return <Machines fleet={fleet} agents={agents} />;
}

function Machines({ fleet, agents }: { readonly fleet: Fleet; readonly agents: readonly AgentState[] }) {
  const incidents = useCell(fleet.incidents) ?? [];
  const { query } = useCell(place);
  const now = useNow(NOW_MS);
  const wanted = wantedFrom(query);
  const worst = useMemo(() => worstByAgent(incidents), [incidents]);
  const shown = listed(agents, wanted, worst);
  const models = agents.some(({ modelVersion, desiredVersion }) => modelVersion !== null || desiredVersion !== null);
  return (
    <div class="fleet">
      <h1 class="hidden">Fleet</h1>
      <Counts agents={agents} wanted={wanted} />
      <StoreLine fleet={fleet} />
      <FleetBudget fleet={fleet} />
      <StrangersNotice fleet={fleet} />
      {incidents.length > 0 && <OpenIncidents incidents={incidents} agents={agents} now={now} />}
      <FleetEnds agents={agents} now={now} />
      <Filters agents={agents} wanted={wanted} shown={shown.length} />
      {shown.length === 0 ? (
        <p class="empty-title">
          No machine is like that.{' '}
          <button type="button" class="link" onClick={() => refine({ q: null, site: null, tag: null, state: null })}>
            Show all
          </button>
        </p>
      ) : (
        <table class="machines" data-models={models}>
          <Head wanted={wanted} />
          <tbody>
            {shown.map((agent) => (
              <FleetRow key={agent.id} agent={agent} worst={worst.get(agent.id) ?? null} now={seenAt(agent, now)} />
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

/** Rows whose texts would not change are not drawn again: a machine that was heard lately is `just now` for a while. */
function seenAt(agent: AgentState, now: number): number {
  if (agent.lastSeenMs === null || agent.retiredMs !== null) return 0;
  const agoMs = now - agent.lastSeenMs;
  const step = agoMs < 120_000 ? 5_000 : 60_000;
  return agent.lastSeenMs + Math.floor(agoMs / step) * step;
}

function Counts({ agents, wanted }: { readonly agents: readonly AgentState[]; readonly wanted: Wanted }) {
  const count = (test: (agent: AgentState) => boolean): number => agents.filter(test).length;
  const living = count((agent) => agent.retiredMs === null);
  const entries: readonly (readonly [Wanted['state'], string, number])[] = [
    ['', 'machines', living],
    ['online', 'online', count((agent) => presenceOf(agent) === 'online')],
    ['offline', 'offline', count((agent) => presenceOf(agent) === 'offline')],
    ['unknown', 'unknown', count((agent) => presenceOf(agent) === 'unknown')],
    ['trouble', 'need a look', listed(agents, { ...wantedAll, state: 'trouble' }, new Map()).length],
    ['retired', 'retired', agents.length - living],
  ];
  return (
    <fieldset class="counts" aria-label="Machines by state">
      {entries
        .filter(([state, , number]) => number > 0 || state === '' || state === wanted.state)
        .map(([state, label, number]) => (
          <button
            key={state}
            type="button"
            class={`count ${state}`}
            aria-pressed={wanted.state === state}
            onClick={() => refine({ state: state === '' || wanted.state === state ? null : state })}
          >
            <b>{formatCount(number)}</b> {label}
          </button>
        ))}
    </fieldset>
  );
}

const wantedAll: Wanted = wantedFrom(new URLSearchParams());

interface FilterProps {
  readonly agents: readonly AgentState[];
  readonly wanted: Wanted;
  readonly shown: number;
}

function Filters({ agents, wanted, shown }: FilterProps) {
  const sites = useMemo(
    () => [...new Set(agents.map(({ site }) => site))].filter((site) => site !== '').sort(),
    [agents],
  );
  const tags = useMemo(() => [...new Set(agents.flatMap(tagsOf))].sort(), [agents]);
  const filtered = [wanted.text, wanted.site, wanted.tag, wanted.state].some((one) => one !== '');
  return (
    <search class="filters">
      <input
        type="search"
        data-search
        aria-label="Search machines"
        placeholder="Search machines ( / )"
        value={wanted.text}
        onInput={(event) => refine({ q: event.currentTarget.value })}
      />
      {sites.length > 0 && (
        <Choice label="Site" all="All sites" values={sites} value={wanted.site} onChange={(site) => refine({ site })} />
      )}
      {tags.length > 0 && (
        <Choice label="Tag" all="All tags" values={tags} value={wanted.tag} onChange={(tag) => refine({ tag })} />
      )}
      <label class="narrow-only">
        <span class="hidden">Sort by</span>
        <select
          value={wanted.sort}
          onChange={(event) => refine({ sort: event.currentTarget.value, desc: null })}
          aria-label="Sort by"
        >
          {columns.map(({ key, label }) => (
            <option key={key} value={key}>
              by {label.toLowerCase()}
            </option>
          ))}
        </select>
      </label>
      <output class="faint">{filtered ? `${formatCount(shown)} shown` : ''}</output>
    </search>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly all: string;
  readonly values: readonly string[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Choice({ label, all, values, value, onChange }: ChoiceProps) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="">{all}</option>
      {values.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  );
}

const columns: readonly { readonly key: SortKey; readonly label: string; readonly numeric?: boolean }[] = [
  { key: 'state', label: 'State' },
  { key: 'name', label: 'Machine' },
  { key: 'incidents', label: 'Incidents' },
  { key: 'cpu', label: 'CPU' },
  { key: 'memory', label: 'Memory' },
  { key: 'disk', label: 'Disk' },
  { key: 'load1', label: 'Load', numeric: true },
  { key: 'pending', label: 'Pending', numeric: true },
  { key: 'seen', label: 'Seen', numeric: true },
];

function Head({ wanted }: { readonly wanted: Wanted }) {
  return (
    <thead>
      <tr>
        {columns.map(({ key, label, numeric }) => {
          const mine = wanted.sort === key;
          const next = mine ? !wanted.descending : firstDescending(key);
          return (
            <th
              key={key}
              class={numeric === true ? 'numeric' : undefined}
              aria-sort={mine ? (wanted.descending ? 'descending' : 'ascending') : 'none'}
            >
              <button
                type="button"
                onClick={() => refine({ sort: key, desc: next === firstDescending(key) ? null : next ? '1' : '0' })}
              >
                {label}
                <span aria-hidden="true">{mine ? (wanted.descending ? ' ↓' : ' ↑') : ''}</span>
              </button>
            </th>
          );
        })}
        <th class="model">Model</th>
      </tr>
    </thead>
  );
}
