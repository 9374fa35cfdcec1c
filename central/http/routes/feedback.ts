/** What operators say of incidents: a verdict with a class and a note, changed and withdrawn. */
import type { FastifyInstance } from 'fastify';
import { PicketError } from '../../../shared/errors.ts';
import { type Verdict, verdicts } from '../../feedback/api.ts';
import { audit, type RouteContext, requireAgent } from '../context.ts';
import { actorOf } from '../guard.ts';
import {
  agentId,
  agentParams,
  answers,
  epochId,
  freeText,
  integer,
  list,
  object,
  oneOf,
  ref,
  text,
} from '../schemas.ts';

interface OfIncident {
  Params: { id: string; epoch: string; seq: number };
}

const params = object({ id: agentId, epoch: epochId, seq: { type: 'integer', minimum: 1 } });
/** Short names, so that they are said again rather than made up anew. */
const className = {
  type: 'string',
  minLength: 1,
  maxLength: 40,
  pattern: '^[^\\u0000-\\u001f\\u007f]*\\S[^\\u0000-\\u001f\\u007f]*$',
};

export function feedbackRoutes(app: FastifyInstance, context: RouteContext): void {
  const { feedback, meanings, bus } = context.services;

  app.put<OfIncident & { Body: { verdict: Verdict; class?: string; note?: string } }>(
    '/agents/:id/incidents/:epoch/:seq/label',
    {
      schema: {
        operationId: 'labelIncident',
        tags: ['incidents'],
        summary: 'Say what an incident was; said again, it replaces what was said before',
        params,
        body: object({ verdict: oneOf(...verdicts), class: className, note: freeText }, ['class', 'note']),
        response: answers(ref('IncidentLabel'), 403, 404, 409),
      },
    },
    async (request) => {
      const { id } = requireAgent(context, request.params.id);
      const { epoch, seq } = request.params;
      const { verdict, class: name, note = '' } = request.body;
      if (name !== undefined && verdict !== 'real') {
        throw new PicketError('usage.invalid', 'only what is real has a class.');
      }
      const by = actorOf(request);
      const label = await feedback.label(id, epoch, seq, { verdict, class: name ?? null, note, by });
      const said = [label.verdict.replace('_', ' '), label.class, note].filter((part) => part !== null && part !== '');
      await audit(context, request, 'incident.label', `${id} ${epoch}-${seq}`, said.join(', '));
      bus.publish({ type: 'label', agent: id });
      return label;
    },
  );

  app.delete<OfIncident>(
    '/agents/:id/incidents/:epoch/:seq/label',
    {
      schema: {
        operationId: 'withdrawLabel',
        tags: ['incidents'],
        summary: 'Take back what was said of an incident',
        params,
        response: answers('nothing', 403, 404),
      },
    },
    async (request, reply) => {
      const { id } = requireAgent(context, request.params.id);
      const { epoch, seq } = request.params;
      if (!(await feedback.withdraw(id, epoch, seq))) {
        throw new PicketError('not_found', `Nobody has said anything of incident ${epoch}-${seq}.`);
      }
      await audit(context, request, 'incident.unlabel', `${id} ${epoch}-${seq}`);
      bus.publish({ type: 'label', agent: id });
      return reply.code(204).send();
    },
  );

  app.get<{ Params: { id: string } }>(
    '/agents/:id/series-changes',
    {
      schema: {
        operationId: 'listSeriesChanges',
        tags: ['agents'],
        summary: 'Series that say something else since some time (another unit, sign or resolution), the newest first',
        params: agentParams,
        response: answers(object({ changes: list(ref('SeriesChange')) }), 404),
      },
    },
    async (request) => ({ changes: meanings.of(requireAgent(context, request.params.id).id) }),
  );

  app.get(
    '/incident-classes',
    {
      schema: {
        operationId: 'listIncidentClasses',
        tags: ['incidents'],
        summary: 'Names that real incidents were given, those in use first',
        response: answers(object({ classes: list(object({ name: text, incidents: integer })) })),
      },
    },
    async () => ({ classes: feedback.classes() }),
  );
}
