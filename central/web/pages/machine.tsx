/** A machine: its head, and below it the charts or one of the panels. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { AgentState } from '../../api.ts';
import type { StoredIncident } from '../../store/store.ts';
import { get } from '../api.ts';
import { useCell } from '../cell.ts';
import { ChartBoard } from '../charts/board.ts';
import { MachineSource } from '../charts/source.ts';
import { Failure, Skeleton } from '../components/parts.tsx';
import { SiteZone, zoneFor } from '../components/zone.ts';
import type { Fleet } from '../fleet.ts';
import { counted } from '../format.ts';
import { EventsPanel } from '../panels/events.tsx';
import { ForecastsPanel } from '../panels/forecasts.tsx';
import { IncidentsPanel } from '../panels/incidents.tsx';
import { type InventoryAnswer, InventoryPanel } from '../panels/inventory.tsx';
import { LedgerPanel } from '../panels/ledger.tsx';
import { ModelPanel } from '../panels/model.tsx';
import { ProcessesPanel } from '../panels/processes.tsx';
import { SeriesChanges } from '../panels/series-changes.tsx';
import { preferences } from '../preferences.ts';
import { useResource } from '../resource.ts';
import { zoomBack, zoomTo } from '../shown-range.ts';
import { isZone } from '../time.ts';
import { MachineHead } from './machine-head.tsx';
import { MetricsTab } from './machine-metrics.tsx';

interface Props {
  readonly id: string;
  readonly tab: string;
  readonly fleet: Fleet;
}

const tabs = [
  ['', 'Metrics'],
  ['incidents', 'Incidents'],
  ['forecasts', 'Forecasts'],
  ['processes', 'Processes'],
  ['events', 'Events'],
  ['model', 'Model'],
  ['ledger', 'Ledger'],
  ['inventory', 'Inventory'],
] as const;

export function MachinePage({ id, tab, fleet }: Props) {
  const own = useResource(`agent ${id}`, (signal) => get<AgentState>(`/agents/${id}`, signal));
  const incidents = useResource(`incidents ${id}`, (signal) =>
    get<{ incidents: readonly StoredIncident[] }>(`/agents/${id}/incidents?limit=200`, signal),
  );
  const inventory = useResource(`inventory ${id}`, (signal) =>
    get<InventoryAnswer>(`/agents/${id}/documents/inventory`, signal).catch(() => null),
  );
  const listedAgents = useCell(fleet.agents);
  const agent = listedAgents?.find((one) => one.id === id) ?? own.data;
  const siteZone = useMemo(() => zoneOf(agent, inventory.data), [agent?.tags, inventory.data]);
  const board = useBoard(id, siteZone);

  useEffect(() => {
    if (agent !== undefined) document.title = `${agent.name} · Picket`;
  }, [agent?.name]);
  useEffect(
    () =>
      fleet.onNews((news) => {
        if (news.agent !== id) return;
        if (news.type === 'summary') board?.extend();
        if (news.type === 'incident') incidents.reload();
        if (news.type === 'model') {
          board?.source.forgetBands();
          board?.reload();
        }
      }),
    [fleet, id, board, incidents.reload],
  );

  if (agent === undefined) {
    if (own.error !== undefined) return <Failure error={own.error} onRetry={own.reload} />;
    return <Skeleton lines={10} label="Loading the machine" />;
  }
  if (board === null) return null;
  const known = incidents.data?.incidents ?? [];
  // What is listed and what is counted must not differ on one page.
  const open =
    incidents.data === undefined ? agent.openIncidents : known.filter(({ state }) => state === 'open').length;
  return (
    <SiteZone.Provider value={siteZone}>
      <div class="machine">
        <MachineHead agent={agent} board={board} siteZone={siteZone} charts={tab === ''} reload={fleet.reload} />
        <nav class="tabs" aria-label="About this machine">
          {tabs.map(([name, label]) => (
            <a
              key={name}
              href={`/machine/${id}${name === '' ? '' : `/${name}`}`}
              aria-current={tab === name ? 'page' : undefined}
            >
              {label}
              {name === 'incidents' && open > 0 && (
                <span class="badge" title={counted(open, 'open incident')}>
                  {open}
                </span>
              )}
            </a>
          ))}
        </nav>
        {(tab === '' || tab === 'model') && <SeriesChanges agent={id} />}
        {tab === '' && <MetricsTab agent={agent} board={board} fleet={fleet} incidents={known} />}
        {tab === 'incidents' && <IncidentsPanel agent={agent} incidents={incidents} />}
        {tab === 'forecasts' && <ForecastsPanel agent={agent} />}
        {tab === 'processes' && <ProcessesPanel agent={agent} fleet={fleet} />}
        {tab === 'events' && <EventsPanel agent={agent} fleet={fleet} />}
        {tab === 'model' && <ModelPanel agent={agent} fleet={fleet} />}
        {tab === 'ledger' && <LedgerPanel agent={agent} fleet={fleet} />}
        {tab === 'inventory' && <InventoryPanel agent={agent} inventory={inventory} />}
      </div>
    </SiteZone.Provider>
  );
}

/** The board lives as long as the machine is looked at, through all its tabs: live values are not thrown away. */
function useBoard(id: string, siteZone: string | null): ChartBoard | null {
  const [board, setBoard] = useState<ChartBoard | null>(null);
  const [zone] = useState<{ site: string | null }>({ site: null });
  zone.site = siteZone;
  useEffect(() => {
    const made = new ChartBoard({
      source: new MachineSource(id),
      zone: () => zoneFor(preferences.get().zone, zone.site),
      onZoom: zoomTo,
      onZoomBack: zoomBack,
    });
    setBoard(made);
    return () => made.end();
  }, [id, zone]);
  return board;
}

/** The zone that the inventory or a tag names; null where none does. */
function zoneOf(agent: AgentState | undefined, inventory: InventoryAnswer | null | undefined): string | null {
  const json = inventory?.json as { time?: { zone?: unknown } } | undefined;
  const named = [agent?.tags.zone, json?.time?.zone];
  return named.find((zone): zone is string => typeof zone === 'string' && zone !== '' && isZone(zone)) ?? null;
}
