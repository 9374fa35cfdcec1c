/** The full-rate values around an incident that its machine pinned and sent. */
import type { FastifyInstance } from 'fastify';
import { readBlock } from '../../../shared/wire/block.ts';
import { decodeEvidence } from '../../../shared/wire/bodies.ts';
import type { TableSeries } from '../../store/store.ts';
import { type RouteContext, requireAgent } from '../context.ts';
import { agentId, answers, epochId, integer, list, object, ref, timeMs } from '../schemas.ts';

/** Ten minutes before and five after at 10 Hz; more in one block is not ours. */
const MAX_BLOCK_SAMPLES = 9_000;
/** Samples of one answer: 300 series of fifteen minutes at 1 Hz. What is over it is left out and counted. */
const MAX_SAMPLES = 300_000;

interface EvidencePart {
  readonly fromMs: number;
  readonly toMs: number;
  readonly series: {
    readonly series: string;
    readonly key: Pick<TableSeries, 'name' | 'unit' | 'attributes'>;
    readonly timesMs: number[];
    readonly values: number[];
  }[];
}

export function evidenceRoutes(app: FastifyInstance, context: RouteContext): void {
  const { store } = context.services;

  app.get<{ Params: { id: string; epoch: string; seq: number } }>(
    '/agents/:id/incidents/:epoch/:seq/evidence',
    {
      schema: {
        operationId: 'getEvidence',
        tags: ['incidents'],
        summary: 'Full-rate values around an incident, in parts as they were sent',
        params: object({ id: agentId, epoch: epochId, seq: { type: 'integer', minimum: 1 } }),
        response: answers(
          object({
            parts: list(object({ fromMs: timeMs, toMs: timeMs, series: list(ref('EvidenceSeries')) })),
            omitted: { ...integer, description: 'blocks that cannot be read, or are too many for one answer' },
          }),
          404,
        ),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      const bodies = await store.evidence(id, request.params.epoch, request.params.seq);
      const answer = { parts: [] as EvidencePart[], omitted: 0 };
      let room = MAX_SAMPLES;
      for (const body of bodies) {
        try {
          const evidence = decodeEvidence(body);
          const table = (await store.table(id, evidence.table)) ?? [];
          const part: EvidencePart = { fromMs: evidence.fromWallMs, toMs: evidence.toWallMs, series: [] };
          for (const { series: index, data } of evidence.blocks) {
            const series = table[index];
            const block = series === undefined ? null : readable(data, Math.min(room, MAX_BLOCK_SAMPLES));
            if (series === undefined || block === null) {
              answer.omitted++;
              continue;
            }
            const { id: seriesId, name, unit, attributes } = series;
            room -= block.timesMs.length;
            part.series.push({
              series: seriesId,
              key: { name, unit, attributes },
              timesMs: Array.from(block.timesMs),
              values: Array.from(block.values),
            });
          }
          answer.parts.push(part);
        } catch {
          // One part that cannot be decoded must not hide the others; it is counted.
          answer.omitted++;
        }
      }
      return answer;
    },
  );
}

function readable(data: Uint8Array, maxSamples: number): ReturnType<typeof readBlock> | null {
  try {
    return readBlock(data, maxSamples);
  } catch {
    return null;
  }
}
