/** The ledger of a machine: its rows and their sum, the coverage of time, the recount, and what was set aside. */
import type { FastifyInstance } from 'fastify';
import { PicketError } from '../../../shared/errors.ts';
import { DAY_MS } from '../../../shared/limits.ts';
import { checkedRange, type RouteContext, requireAgent } from '../context.ts';
import { agentId, agentParams, answers, epochId, integer, list, object, ref, text, timeMs } from '../schemas.ts';

/** Days of coverage when no range is given. */
const DEFAULT_SPAN_MS = 14 * DAY_MS;
const LONGEST_COVERAGE_MS = 800 * DAY_MS;
/** Over longer ranges days are told without their spans. */
const LONGEST_SPANS_MS = 35 * DAY_MS;
/** Rows of one answer: a crash loop makes thousands. */
const MOST_ROWS = 1000;
const MOST_QUARANTINED = 500;

interface LedgerQuery {
  from?: number;
  to?: number;
  limit: number;
  offset: number;
}

export function ledgerRoutes(app: FastifyInstance, context: RouteContext): void {
  const { store, nowMs } = context.services;

  app.get<{ Params: { id: string }; Querystring: LedgerQuery }>(
    '/agents/:id/ledger',
    {
      schema: {
        operationId: 'getLedger',
        tags: ['ledger'],
        summary: 'Every record that the machine made: committed, quarantined, pending or lost; and the minutes covered',
        params: agentParams,
        querystring: object(
          {
            from: { ...timeMs, description: 'of the coverage, Unix ms; 14 days ago when absent' },
            to: timeMs,
            limit: { type: 'integer', minimum: 0, maximum: MOST_ROWS, default: MOST_ROWS, description: 'rows' },
            offset: { type: 'integer', minimum: 0, default: 0, description: 'rows to pass over, from the newest' },
          },
          ['from', 'to', 'limit', 'offset'],
        ),
        response: answers(
          object({
            rows: list(ref('LedgerRow'), 'oldest first; the newest `limit` of them'),
            totals: ref('LedgerTotals'),
            coverage: list(ref('CoverageDay')),
          }),
          404,
        ),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      const { from, to, limit, offset } = request.query;
      const range = checkedRange(from ?? nowMs() - DEFAULT_SPAN_MS, to ?? nowMs() + DAY_MS);
      if (range.toMs - range.fromMs > LONGEST_COVERAGE_MS) {
        throw new PicketError('usage.invalid', 'Coverage is answered for at most 800 days at once.');
      }
      const [rows, totals, days] = await Promise.all([
        limit === 0 ? [] : store.ledger(id),
        store.ledgerTotals(id),
        store.coverage(id, range),
      ]);
      const end = Math.max(0, rows.length - offset);
      const withSpans = range.toMs - range.fromMs <= LONGEST_SPANS_MS;
      return {
        rows: rows.slice(Math.max(0, end - limit), end),
        totals,
        coverage: withSpans ? days : days.map((day) => ({ ...day, spans: [] })),
      };
    },
  );

  app.get<{ Params: { id: string } }>(
    '/agents/:id/ledger/check',
    {
      schema: {
        operationId: 'checkLedger',
        tags: ['ledger'],
        summary: 'Counts the records of a machine again from what is stored, and compares with its ledger',
        params: agentParams,
        response: answers(ref('LedgerCheck'), 404),
      },
    },
    async (request) => store.verifyLedger(requireAgent(context, request.params.id).id),
  );

  app.get<{ Params: { id: string } }>(
    '/agents/:id/quarantine',
    {
      schema: {
        operationId: 'listQuarantine',
        tags: ['ledger'],
        summary: 'Records that were set aside, with the reason; the newest first',
        params: agentParams,
        response: answers(
          object({
            records: list(ref('QuarantinedRecord')),
            more: { ...integer, description: 'older ones that are not listed' },
          }),
          404,
        ),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      const all = [...(await store.quarantine(id))].sort((a, b) => b.timeMs - a.timeMs);
      const records = all
        .slice(0, MOST_QUARANTINED)
        .map(({ record, ...about }) => ({ ...about, sizeBytes: record.length }));
      return { records, more: all.length - records.length };
    },
  );

  app.get<{ Params: { id: string; epoch: string; seq: number; crc: number } }>(
    '/agents/:id/quarantine/:epoch/:seq/:crc',
    {
      schema: {
        operationId: 'getQuarantined',
        tags: ['ledger'],
        summary: 'The bytes of a record that was set aside, as they came',
        params: object({
          id: agentId,
          epoch: epochId,
          seq: { type: 'integer', minimum: 1 },
          crc: { type: 'integer', minimum: 0 },
        }),
        response: {
          ...answers('nothing', 404),
          200: { description: 'Bytes', content: { 'application/octet-stream': { schema: text } } },
        },
      },
    },
    async (request, reply) => {
      const { id } = requireAgent(context, request.params.id);
      const { epoch, seq, crc } = request.params;
      const all = await store.quarantine(id);
      const found = all.find((one) => one.epoch === epoch && one.seq === seq && one.crc >>> 0 === crc);
      if (found === undefined) {
        throw new PicketError('not_found', `${id} has no record ${seq} of epoch ${epoch} set aside (any more).`);
      }
      const name = `${id}-${epoch.slice(0, 8)}-${seq}.bin`;
      return reply
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(Buffer.from(found.record));
    },
  );
}
