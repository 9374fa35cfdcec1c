/** A machine's series: what there is, its history in windows, and the band that the model expects. */
import type { FastifyInstance } from 'fastify';
import { PicketError } from '../../../shared/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../shared/limits.ts';
import type { Resolution, SeriesColumns } from '../../store/store.ts';
import { checkedRange, type RouteContext, requireAgent, seriesOf } from '../context.ts';
import {
  agentParams,
  answers,
  list,
  object,
  oneOf,
  ref,
  seriesId,
  seriesList,
  summaryColumns,
  timeMs,
} from '../schemas.ts';

/** Series of one answer, and windows of all its series together (eight numbers each). */
const MAX_SERIES = 64;
const MAX_WINDOWS = 200_000;
const MAX_BAND_POINTS = 5_000;
/** `auto` takes minutes up to two days and hours up to sixty: some 3,000 and 1,500 points of a chart. */
const AUTO_MINUTES_MS = 2 * DAY_MS;
const AUTO_HOURS_MS = 60 * DAY_MS;

const windowMs: Record<Resolution, number> = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS };
type Column = (typeof summaryColumns)[number];

export function summaryRoutes(app: FastifyInstance, context: RouteContext): void {
  const { store, models } = context.services;

  app.get<{ Params: { id: string } }>(
    '/agents/:id/series',
    {
      schema: {
        operationId: 'listSeries',
        tags: ['series'],
        summary: 'All series that the machine has ever had, each with its latest window',
        params: agentParams,
        response: answers(object({ series: list(ref('LatestSeries')) }), 404),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      const series = await store.latest(id);
      return {
        series: series.map(
          ({ id, name, unit, attributes, timeMs, mean, min, max, last, anomalyShare, highestScore }) => {
            return { id, name, unit, attributes, timeMs, mean, min, max, last, anomalyShare, highestScore };
          },
        ),
      };
    },
  );

  app.get<{
    Params: { id: string };
    Querystring: { series: string; from: number; to: number; resolution: Resolution | 'auto'; columns?: string };
  }>(
    '/agents/:id/summaries',
    {
      schema: {
        operationId: 'getSummaries',
        tags: ['series'],
        summary: 'History of series in windows, as columns; a missing value is null',
        params: agentParams,
        querystring: object(
          {
            series: seriesList,
            from: timeMs,
            to: timeMs,
            resolution: { ...oneOf('auto', 'minute', 'hour', 'day'), default: 'auto' },
            columns: {
              type: 'string',
              maxLength: 100,
              pattern: '^[A-Za-z]+(,[A-Za-z]+)*$',
              description: `Which columns, separated by commas (${summaryColumns.join(', ')}); all when absent`,
            },
          },
          ['resolution', 'columns'],
        ),
        response: answers(
          object({ resolution: oneOf('minute', 'hour', 'day'), series: list(ref('SummaryColumns')) }),
          404,
        ),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      const { query } = request;
      const range = checkedRange(query.from, query.to);
      const series = seriesOf(query.series, MAX_SERIES);
      const resolution = query.resolution === 'auto' ? autoResolution(range.toMs - range.fromMs) : query.resolution;
      const columns = columnsOf(query.columns);
      const windows = ((range.toMs - range.fromMs) / windowMs[resolution]) * series.length;
      if (windows > MAX_WINDOWS) {
        throw new PicketError(
          'usage.invalid',
          `${series.length} series by ${resolution} over this range are ${Math.ceil(windows)} windows; at most ${MAX_WINDOWS} are answered at once.`,
        );
      }
      const found = await store.query(id, series, range, resolution);
      return { resolution, series: found.map((one) => plainColumns(one, columns)) };
    },
  );

  app.get<{ Params: { id: string }; Querystring: { series: string; from: number; to: number; step: number } }>(
    '/agents/:id/band',
    {
      schema: {
        operationId: 'getBand',
        tags: ['series', 'models'],
        summary: 'What the running model expects of a series; version 0 and no points where it expects nothing',
        params: agentParams,
        querystring: object(
          {
            series: seriesId,
            from: timeMs,
            to: timeMs,
            step: {
              type: 'integer',
              minimum: 1000,
              default: MINUTE_MS,
              description: 'milliseconds between two points',
            },
          },
          ['step'],
        ),
        response: answers(ref('Band'), 404),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      const { series, from, to, step } = request.query;
      checkedRange(from, to);
      const points = Math.floor((to - from) / step) + 1;
      if (points > MAX_BAND_POINTS) {
        throw new PicketError(
          'usage.invalid',
          `The band has ${points} points; at most ${MAX_BAND_POINTS} are answered.`,
        );
      }
      const timesMs = Array.from({ length: points }, (_, i) => from + i * step);
      return (await models.band(id, series, timesMs)) ?? { version: 0, timesMs: [], low: [], high: [] };
    },
  );
}

function autoResolution(spanMs: number): Resolution {
  if (spanMs <= AUTO_MINUTES_MS) return 'minute';
  return spanMs <= AUTO_HOURS_MS ? 'hour' : 'day';
}

function columnsOf(parameter: string | undefined): readonly Column[] {
  if (parameter === undefined) return summaryColumns;
  return parameter.split(',').map((name) => {
    const column = summaryColumns.find((known) => known === name);
    if (column === undefined) throw new PicketError('usage.invalid', `There is no column ${name}.`);
    return column;
  });
}

/** Plain arrays, because JSON writes a typed array as an object; it writes NaN as null by itself. */
function plainColumns(from: SeriesColumns, columns: readonly Column[]): Record<string, unknown> {
  const out: Record<string, unknown> = { id: from.series, timesMs: Array.from(from.timesMs) };
  for (const name of columns) out[name] = Array.from(from[name]);
  return out;
}
