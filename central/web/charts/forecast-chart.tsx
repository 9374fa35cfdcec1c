/** A small chart of the past and of what is expected: line, band, bound, and where now is. */
import type { CapacityForecast, SteppedOutlook } from '../../forecast/api.ts';
import { get } from '../api.ts';
import { formatShare } from '../format.ts';
import { useResource } from '../resource.ts';
import { formatDay } from '../time.ts';

const WIDTH = 600;
const HEIGHT = 150;
const LEFT = 52;
const BOTTOM = 20;
const TOP = 6;
/** The past takes as much room as the future, and no more than this. */
const MOST_PAST_STEPS = 14 * 24;
const TICKS = 4;

interface Props {
  readonly agent: string;
  readonly forecast: CapacityForecast;
  readonly outlook: SteppedOutlook;
  readonly zone: string;
}

interface Answer {
  readonly series: readonly { readonly timesMs: readonly number[]; readonly mean?: readonly (number | null)[] }[];
}

export function ForecastChart({ agent, forecast, outlook, zone }: Props) {
  const { stepMs, firstMs, value, low, high } = outlook;
  const past = Math.min(MOST_PAST_STEPS, value.length) * stepMs;
  const fromMs = firstMs - stepMs - past;
  const query = `series=${forecast.series}&from=${fromMs}&to=${firstMs}&resolution=hour&columns=mean`;
  const { data } = useResource(`past ${agent} ${query}`, (signal) =>
    get<Answer>(`/agents/${agent}/summaries?${query}`, signal),
  );
  const untilMs = firstMs + (value.length - 1) * stepMs;
  const x = (ms: number): number => LEFT + ((WIDTH - LEFT) * (ms - fromMs)) / (untilMs - fromMs);
  const y = (share: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(1, Math.max(0, share)));
  const at = (i: number): number => x(firstMs + i * stepMs);
  const upper = high.map((share, i) => `${at(i).toFixed(1)},${y(share).toFixed(1)}`);
  const lower = low.map((share, i) => `${at(i).toFixed(1)},${y(share).toFixed(1)}`).reverse();
  const ticks = Array.from({ length: TICKS }, (_, i) => fromMs + ((i + 0.5) * (untilMs - fromMs)) / TICKS);
  return (
    <svg
      class="forecast-chart"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`${forecast.thing}: past, and what is expected until ${formatDay(untilMs, zone)}`}
    >
      {[0, 0.5, 1].map((share) => (
        <g key={share}>
          <line class="grid" x1={LEFT} x2={WIDTH} y1={y(share)} y2={y(share)} />
          <text x={LEFT - 6} y={y(share) + 4} text-anchor="end">
            {formatShare(share)}
          </text>
        </g>
      ))}
      {ticks.map((ms) => (
        <text key={ms} x={x(ms)} y={HEIGHT - 4} text-anchor="middle">
          {formatDay(ms, zone)}
        </text>
      ))}
      <polygon class="band" points={[...upper, ...lower].join(' ')} />
      <path class="ahead" d={lineOf(value.map((share, i) => [at(i), y(share)]))} />
      <path class="past" d={lineOf(pastOf(data, forecast).map(([ms, share]) => [x(ms), y(share)]))} />
      <line class="bound" x1={LEFT} x2={WIDTH} y1={y(forecast.bound)} y2={y(forecast.bound)} />
      <line class="now" x1={x(firstMs - stepMs)} x2={x(firstMs - stepMs)} y1={TOP} y2={HEIGHT - BOTTOM} />
    </svg>
  );
}

function lineOf(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}

function pastOf(data: Answer | undefined, { invert, whole }: CapacityForecast): (readonly [number, number])[] {
  const found = data?.series[0];
  if (found?.mean === undefined) return [];
  return found.timesMs.flatMap((ms, i) => {
    const mean = found.mean![i];
    return typeof mean === 'number' ? [[ms, invert ? 1 - mean / whole : mean / whole] as const] : [];
  });
}
