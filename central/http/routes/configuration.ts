/** Configurations: what people write for machines, how it reaches them, what each goes by. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { formatPath } from '../../../shared/config/schema.ts';
import { PicketError } from '../../../shared/errors.ts';
import type { ConfigurationLayer, ConfigurationOrder } from '../../configuration/api.ts';
import { diffLines } from '../../configuration/diff.ts';
import { LAYER_BYTES } from '../../configuration/layers.ts';
import { type RouteContext, requireAgent } from '../context.ts';
import { actorOf } from '../guard.ts';
import { agentParams, answers, freeText, list, object, oneOf, ref, text } from '../schemas.ts';

const orders: Readonly<Record<ConfigurationOrder, string>> = {
  pause: 'Hold a new version where it is',
  resume: 'Let a paused one go on',
  promote: 'Let all machines have it at once',
  rollback: 'Bring all its machines back to the version before',
};
const ETAG = /^(?:W\/)?"?(\d{1,9})"?$/;

const scopeParams = object({ scope: { type: 'string', maxLength: 71 } });
const written = { type: 'string', maxLength: LAYER_BYTES };
const versionNumber = { type: 'integer', minimum: 0, maximum: 1_000_000_000 };
type ByScope = { Params: { scope: string } };

/** A layer, with the number that a change of it is to name. */
function tagged(reply: FastifyReply, layer: ConfigurationLayer): ConfigurationLayer {
  reply.header('etag', `"${layer.newest}"`);
  return layer;
}

/** What the writer saw. Throws `usage.invalid`. */
function seenBy(request: FastifyRequest): number {
  const found = ETAG.exec(request.headers['if-match'] ?? '');
  if (found !== null) return Number(found[1]);
  throw new PicketError('usage.invalid', 'If-Match is missing: it names the version that you saw, as the ETag said.');
}

export function configurationRoutes(app: FastifyInstance, context: RouteContext): void {
  const { configurations } = context.services;
  const tags = ['configuration'];

  app.get(
    '/configuration',
    {
      schema: {
        operationId: 'listConfigurations',
        tags,
        summary: 'All layers that there are, with what they say and how their newest version moves',
        response: answers(object({ layers: list(ref('ConfigurationLayer')) })),
      },
    },
    async () => ({ layers: await configurations.layers() }),
  );

  app.get<ByScope>(
    '/configuration/:scope',
    {
      schema: {
        operationId: 'getConfiguration',
        tags,
        summary: 'The layer of `all`, `cohort:NAME` or `agent:ID`; its ETag is what a change names',
        params: scopeParams,
        response: answers(ref('ConfigurationLayer')),
      },
    },
    async (request, reply) => tagged(reply, await configurations.layer(request.params.scope)),
  );

  app.put<ByScope & { Body: { text: string; comment?: string } }>(
    '/configuration/:scope',
    {
      schema: {
        operationId: 'changeConfiguration',
        tags,
        summary: 'A new version of a layer, YAML; some machines get it first. If-Match names the version that was seen',
        params: scopeParams,
        headers: { type: 'object', properties: { 'if-match': text } },
        body: object({ text: written, comment: freeText }, ['comment']),
        response: answers(ref('ConfigurationLayer'), 403, 409, 422),
      },
    },
    async (request, reply) => {
      const { text: yaml, comment = '' } = request.body;
      const change = { text: yaml, comment, seen: seenBy(request) };
      return tagged(reply, await configurations.change(request.params.scope, change, actorOf(request)));
    },
  );

  app.post<ByScope & { Body: { text: string } }>(
    '/configuration/:scope/check',
    {
      schema: {
        operationId: 'checkConfiguration',
        tags,
        summary: 'What is wrong with a text, with line and column, and what it changes; nothing is kept',
        params: scopeParams,
        body: object({ text: written }),
        response: answers(
          object({
            problems: list(ref('ConfigurationProblem')),
            diff: list(object({ sign: oneOf(' ', '+', '-'), text })),
          }),
        ),
      },
    },
    async (request) => {
      const { scope } = request.params;
      const problems = configurations.check(scope, request.body.text);
      const { wanted } = await configurations.layer(scope);
      return {
        problems: problems.map(({ line, column, path, message }) => ({ line, column, key: formatPath(path), message })),
        diff: diffLines(wanted?.text ?? '', request.body.text),
      };
    },
  );

  app.get<ByScope>(
    '/configuration/:scope/versions',
    {
      schema: {
        operationId: 'listConfigurationVersions',
        tags,
        summary: 'What a layer said before: who wrote it, when and why; newest first',
        params: scopeParams,
        response: answers(object({ versions: list(ref('ConfigurationVersion')) })),
      },
    },
    async (request) => ({ versions: await configurations.versions(request.params.scope) }),
  );

  app.post<ByScope & { Body: { version: number } }>(
    '/configuration/:scope/revert',
    {
      schema: {
        operationId: 'revertConfiguration',
        tags,
        summary: 'A new version with the text of an older one',
        params: scopeParams,
        body: object({ version: { ...versionNumber, minimum: 1 } }),
        response: answers(ref('ConfigurationLayer'), 403, 404, 422),
      },
    },
    async (request, reply) =>
      tagged(reply, await configurations.revert(request.params.scope, request.body.version, actorOf(request))),
  );

  for (const [order, summary] of Object.entries(orders)) {
    app.post<ByScope>(
      `/configuration/:scope/${order}`,
      {
        schema: {
          operationId: `${order}Configuration`,
          tags,
          summary,
          params: scopeParams,
          response: answers(ref('ConfigurationLayer'), 403, 409),
        },
      },
      async (request, reply) =>
        tagged(reply, await configurations.order(request.params.scope, order as ConfigurationOrder, actorOf(request))),
    );
  }

  app.get<{ Params: { id: string } }>(
    '/agents/:id/configuration',
    {
      schema: {
        operationId: 'getAgentConfiguration',
        tags,
        summary: 'What a machine is to go by, which layer each value comes from, and what the machine says of it',
        params: agentParams,
        response: answers(ref('AgentConfiguration'), 404),
      },
    },
    (request) => configurations.agent(requireAgent(context, request.params.id).id),
  );
}
