/** All metrics of a machine: search, range, incidents, sections of charts. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { AgentState } from '../../api.ts';
import type { AgentForecasts } from '../../forecast/api.ts';
import type { StoredIncident } from '../../store/store.ts';
import { get, nowMs } from '../api.ts';
import { useCell } from '../cell.ts';
import type { ChartBoard } from '../charts/board.ts';
import { ChartCard } from '../charts/chart-card.tsx';
import { incidentSpans } from '../charts/chart-data.ts';
import { Empty, Failure, Skeleton } from '../components/parts.tsx';
import { RangePicker } from '../components/range-picker.tsx';
import { useZone } from '../components/zone.ts';
import type { Fleet } from '../fleet.ts';
import { counted } from '../format.ts';
import { endText, isSoon } from '../metrics/ends.ts';
import { groupSeries, searchSections } from '../metrics/group.ts';
import type { LatestSeries, MetricChart, Section } from '../metrics/model.ts';
import { type Outlook, outlooks } from '../metrics/outlook.ts';
import { IncidentCard, incidentKey } from '../panels/incident-card.tsx';
import { useResource } from '../resource.ts';
import { place, refine } from '../router.ts';
import { useRange, zoomTo } from '../shown-range.ts';
import { rangeAround, type TimeRange } from '../time.ts';

interface Props {
  readonly agent: AgentState;
  readonly board: ChartBoard;
  readonly fleet: Fleet;
  readonly incidents: readonly StoredIncident[];
}

/** A machine that just came has few series in its first minute: they are asked for again until it has sent some. */
const FIRST_MS = 3_000;

export function MetricsTab({ agent, board, fleet, incidents }: Props) {
  const { data, error, reload } = useResource(`series ${agent.id}`, (signal) =>
    get<{ series: readonly LatestSeries[] }>(`/agents/${agent.id}/series`, signal),
  );
  const series = data?.series;
  useEffect(
    () => fleet.onNews((news) => news.agent === agent.id && news.type === 'summary' && reload()),
    [fleet, agent.id, reload],
  );
  const none = series?.length === 0;
  useEffect(() => {
    if (!none) return;
    const timer = setInterval(reload, FIRST_MS);
    return () => clearInterval(timer);
  }, [none, reload]);
  // Charts stay while the same series are there; their latest windows alone change nothing in what is drawn.
  const identity = series?.map(({ id }) => id).join();
  const sections = useMemo(() => groupSeries(series ?? []), [identity]);
  const unusual = useMemo(
    () => new Set((series ?? []).filter(({ anomalyShare }) => (anomalyShare ?? 0) > 0).map(({ id }) => id)),
    [series],
  );
  const ahead = useAhead(agent.id, series);
  if (series === undefined) {
    if (error !== undefined) return <Failure error={error} onRetry={reload} />;
    return <Skeleton lines={8} label="Loading the metrics" />;
  }
  if (none) {
    return (
      <Empty title="Nothing has come from this machine yet">
        <p class="hint">Its first minute is sent when that minute is over.</p>
      </Empty>
    );
  }
  return (
    <Metrics agent={agent} board={board} incidents={incidents} sections={sections} unusual={unusual} ahead={ahead} />
  );
}

/** What the machine itself tells ahead, and what the central does where it tells nothing. */
function useAhead(agent: string, series: readonly LatestSeries[] | undefined): ReadonlyMap<string, Outlook> {
  const { data } = useResource(`forecasts ${agent}`, (signal) =>
    get<AgentForecasts>(`/agents/${agent}/forecasts`, signal),
  );
  const zone = useZone();
  return useMemo(() => {
    const ahead = new Map(outlooks(series ?? []));
    for (const { series: id, reached, reaches } of data?.forecasts ?? []) {
      if (reached === null || ahead.has(id)) continue;
      ahead.set(id, { text: endText(reached, reaches, zone, nowMs()), soon: isSoon(reached, nowMs()) });
    }
    return ahead;
  }, [series, data, zone]);
}

interface MetricsProps {
  readonly agent: AgentState;
  readonly board: ChartBoard;
  readonly incidents: readonly StoredIncident[];
  readonly sections: readonly Section[];
  readonly unusual: ReadonlySet<string>;
  readonly ahead: ReadonlyMap<string, Outlook>;
}

function Metrics({ agent, board, incidents, sections, unusual, ahead }: MetricsProps) {
  const { query } = useCell(place);
  const range = useRange();
  const text = query.get('q') ?? '';
  const asked = query.get('incident');
  const found = useMemo(() => searchSections(sections, text), [sections, text]);
  const [pointed, setPointed] = useState<string | null>(null);
  const [wantedChart, setWantedChart] = useState<{ readonly series: string } | null>(null);
  const open = incidents.filter(({ state }) => state === 'open');
  const linked = incidents.find((one) => incidentKey(one) === asked);
  const shown = linked === undefined || open.includes(linked) ? open : [linked, ...open];

  const showIncident = (incident: StoredIncident): void => {
    const around = rangeAround(incident.openedMs, incident.closedMs ?? nowMs(), nowMs());
    if (around.kind === 'fixed') zoomTo(around.fromMs, around.toMs);
    setPointed(incident.findings[0]?.series ?? null);
  };
  const pointAt = (series: string): void => {
    setPointed(series);
    setWantedChart({ series });
  };
  // An address that names an incident opens on it, once.
  const opened = useRef(false);
  useEffect(() => {
    if (linked === undefined || opened.current || query.has('from')) return;
    opened.current = true;
    showIncident(linked);
  });
  useEffect(() => {
    if (wantedChart === null) return;
    const charts = sections.flatMap((section) => section.charts);
    const chart = charts.find(({ lines }) => lines.some(({ id }) => id === wantedChart.series));
    if (chart === undefined) return;
    document.querySelector(`[data-chart="${CSS.escape(chart.id)}"]`)?.scrollIntoView({ block: 'center' });
  }, [wantedChart, sections]);

  return (
    <>
      <div class="toolbar">
        <input
          type="search"
          data-search
          aria-label="Search metrics"
          placeholder="Search metrics ( / )"
          value={text}
          onInput={(event) => refine({ q: event.currentTarget.value })}
        />
        <RangePicker range={range} />
      </div>
      {shown.length > 0 && text === '' && (
        <section class="incident-strip" aria-label="Incidents">
          {shown.map((incident) => (
            <IncidentCard
              key={incidentKey(incident)}
              incident={incident}
              folded={shown.length > 1 && incident !== linked}
              onShow={(shownIncident) => {
                showIncident(shownIncident);
                const first = shownIncident.findings[0];
                if (first !== undefined) pointAt(first.series);
              }}
              onSeries={pointAt}
            />
          ))}
        </section>
      )}
      <div class="with-index">
        <Index sections={found} unusual={unusual} />
        <div class="sections">
          {found.length === 0 && (
            <p class="empty-title">
              No metric has “{text}” in its name.{' '}
              <button type="button" class="link" onClick={() => refine({ q: null })}>
                Show all
              </button>
            </p>
          )}
          {found.map((section) => (
            <SectionOfCharts
              key={`${agent.id} ${section.id}`}
              section={section}
              board={board}
              range={range}
              incidents={incidents}
              pointed={pointed}
              ahead={ahead}
              all={text !== ''}
            />
          ))}
        </div>
      </div>
    </>
  );
}

function Index({
  sections,
  unusual,
}: {
  readonly sections: readonly Section[];
  readonly unusual: ReadonlySet<string>;
}) {
  return (
    <nav class="index" aria-label="Sections">
      {sections.map((section) => {
        const marked = section.charts.some(({ lines }) => lines.some(({ id }) => unusual.has(id)));
        return (
          <a key={section.id} href={`#${section.id}`} onClick={(event) => jump(event, section.id)}>
            {section.title}
            {marked && <i class="unusual" title="Something here was unusual in the last minute" />}
            <span class="faint">{section.charts.length}</span>
          </a>
        );
      })}
    </nav>
  );
}

function jump(event: MouseEvent, id: string): void {
  event.preventDefault();
  const target = document.getElementById(id);
  target?.scrollIntoView({ block: 'start' });
  target?.focus({ preventScroll: true });
}

interface SectionProps {
  readonly section: Section;
  readonly board: ChartBoard;
  readonly range: TimeRange;
  readonly incidents: readonly StoredIncident[];
  readonly pointed: string | null;
  readonly ahead: ReadonlyMap<string, Outlook>;
  /** While something is searched nothing is folded away. */
  readonly all: boolean;
}

function SectionOfCharts({ section, board, range, incidents, pointed, ahead, all }: SectionProps) {
  const [folded, setFolded] = useState(false);
  const [more, setMore] = useState(false);
  const major = section.charts.filter(({ minor }) => !minor);
  const minor = section.charts.filter((chart) => chart.minor);
  const pointedHere = minor.some(({ lines }) => lines.some(({ id }) => id === pointed));
  const showMinor = all || more || pointedHere || major.length === 0;
  const shown = showMinor ? section.charts : major;
  return (
    <section class="section" id={section.id} data-row tabIndex={-1} aria-label={section.title}>
      <h3>
        <button type="button" class="fold" aria-expanded={!folded} onClick={() => setFolded(!folded)}>
          <span class="chevron" aria-hidden="true" />
          {section.title}
        </button>
      </h3>
      {!folded && (
        <>
          <div class="charts">
            {shown.map((chart) => (
              <OneChart
                key={chart.id}
                chart={chart}
                board={board}
                range={range}
                incidents={incidents}
                pointed={pointed}
                ahead={ahead}
              />
            ))}
          </div>
          {minor.length > 0 && major.length > 0 && !all && (
            <button type="button" class="link more" aria-expanded={showMinor} onClick={() => setMore(!more)}>
              {showMinor ? 'Show less' : `${counted(minor.length, 'more chart')}`}
            </button>
          )}
        </>
      )}
    </section>
  );
}

type OneProps = Omit<SectionProps, 'section' | 'all'> & { readonly chart: MetricChart };

function OneChart({ chart, board, range, incidents, pointed, ahead }: OneProps) {
  const spans = useMemo(() => incidentSpans(chart, incidents, nowMs() + 60_000), [chart, incidents]);
  const outlook = chart.lines.length === 1 ? ahead.get(chart.lines[0]!.id) : undefined;
  return <ChartCard chart={chart} board={board} range={range} spans={spans} pointed={pointed} outlook={outlook} />;
}
