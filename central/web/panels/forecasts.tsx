/** When a machine's resources come to their end: each with its past, what is expected, and how good that was before. */
import type { AgentState } from '../../api.ts';
import type { AgentForecasts, CapacityForecast, SteppedOutlook } from '../../forecast/api.ts';
import { get, nowMs } from '../api.ts';
import { ForecastChart } from '../charts/forecast-chart.tsx';
import { Empty, Failure, Moment, Skeleton } from '../components/parts.tsx';
import { useZone } from '../components/zone.ts';
import { formatShare } from '../format.ts';
import { endText, formatEnd, isSoon } from '../metrics/ends.ts';
import { useResource } from '../resource.ts';

export function ForecastsPanel({ agent }: { readonly agent: AgentState }) {
  const loaded = useResource(`forecasts ${agent.id}`, (signal) =>
    get<AgentForecasts>(`/agents/${agent.id}/forecasts`, signal),
  );
  if (loaded.data === undefined) {
    if (loaded.error !== undefined) return <Failure error={loaded.error} onRetry={loaded.reload} />;
    return <Skeleton lines={6} label="Loading the forecasts" />;
  }
  const { madeMs, forecasts } = loaded.data;
  if (forecasts.length === 0) {
    return (
      <Empty title="No forecast yet">
        <p class="hint">The first is made from some days of history, of disks, memory, CPU and network.</p>
      </Empty>
    );
  }
  const end = ({ reached }: CapacityForecast): number => reached?.expectedMs ?? Number.POSITIVE_INFINITY;
  const sorted = [...forecasts].sort((a, b) => (end(a) === end(b) ? b.current - a.current : end(a) - end(b)));
  return (
    <div class="panel forecasts" data-role="forecasts">
      <p class="lead">
        From weeks of history, season and all; made {madeMs !== null && <Moment ms={madeMs} />}. The machine’s own
        forecast, from its last hours, stands beside it.
      </p>
      <div class="forecast-cards">
        {sorted.map((one) => (
          <Card key={`${one.series} ${one.reaches}`} agent={agent.id} forecast={one} />
        ))}
      </div>
    </div>
  );
}

function Card({ agent, forecast }: { readonly agent: string; readonly forecast: CapacityForecast }) {
  const zone = useZone();
  const now = nowMs();
  const { reached, hours, days, disagreement, agent: own, reaches, thing } = forecast;
  const shown = shownOf(forecast);
  return (
    <article class="forecast-card" aria-label={thing} data-thing={thing}>
      <header>
        <h3>{thing}</h3>
        <span class="faint">{formatShare(forecast.current)} now</span>
        <span class={reached !== null && isSoon(reached, now) ? 'end soon' : 'end'} data-role="end">
          {reached === null ? notInSight(forecast) : endText(reached, reaches, zone, now)}
        </span>
      </header>
      {shown !== null && <ForecastChart agent={agent} forecast={forecast} outlook={shown} zone={zone} />}
      {own !== null && (
        <p class="faint">
          The machine itself: {reaches === 'empty' ? 'empty' : 'full'} on {formatEnd(own.expectedMs, zone, now)}
          {own.earliestMs !== null && own.latestMs !== null
            ? ` (${formatEnd(own.earliestMs, zone, now)} to ${formatEnd(own.latestMs, zone, now)})`
            : ''}
        </p>
      )}
      {disagreement !== null && <p class="disagreement">{disagreement}</p>}
      {hours !== null && <Quality name="Hours" outlook={hours} />}
      {days !== null && <Quality name="Days" outlook={days} />}
    </article>
  );
}

/** What told the end, else the nearer future. */
function shownOf({ reached, hours, days }: CapacityForecast): SteppedOutlook | null {
  return reached?.by === 'days' ? (days ?? hours) : (hours ?? days);
}

function notInSight({ hours, days }: CapacityForecast): string {
  const furthest = days ?? hours;
  if (furthest === null) return 'too little history';
  const steps = furthest.value.length * furthest.stepMs;
  return `not within ${Math.round(steps / 86_400_000)} days`;
}

function Quality({ name, outlook }: { readonly name: string; readonly outlook: SteppedOutlook }) {
  const { model, naive, mase, naiveMase, coverage90, missing, measured, shifted } = outlook;
  return (
    <p class="quality">
      {name}: {naive ? 'as last season, which nothing came near' : model}; error {mase.toFixed(2)}
      {!naive && ` (as last season ${naiveMase.toFixed(2)})`}, {formatShare(coverage90)} within the band of 90 %
      {missing > 0 && `; ${formatShare(missing / (missing + measured))} of the history is missing`}
      {shifted && '; only since the level changed'}
    </p>
  );
}
