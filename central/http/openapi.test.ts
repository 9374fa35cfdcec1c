import Fastify, { type RouteOptions } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EPOCH, SERIES, START_MS } from './fake-values.ts';
import { ADMIN_TOKEN, fakeServices, startTestServer, type TestServer } from './fakes.ts';

/** A request for each operation, and the status that it is answered with. A new route needs a line here. */
interface Sample {
  readonly path: string;
  readonly body?: unknown;
  readonly status?: number;
  readonly stream?: true;
}
const agent = '/api/v1/agents/pump-7';
const range = `from=${START_MS}&to=${START_MS + 3_600_000}`;
const samples: Record<string, Sample> = {
  logIn: { path: '/api/v1/session', body: { user: 'admin', password: 'wrong' }, status: 403 },
  getSession: { path: '/api/v1/session', status: 401 },
  logOut: { path: '/api/v1/session', status: 204 },
  listAgents: { path: '/api/v1/agents' },
  getAgent: { path: agent },
  updateAgent: { path: agent, body: { name: 'Pump' } },
  retireAgent: { path: `${agent}/retire` },
  dismissFlag: { path: `${agent}/flags/clone-eeeeeeeeeeeeeeee/dismiss` },
  replaceAgent: { path: `${agent}/replace` },
  listSeries: { path: `${agent}/series` },
  getSummaries: { path: `${agent}/summaries?series=${SERIES}&${range}` },
  getBand: { path: `${agent}/band?series=${SERIES}&${range}` },
  listIncidents: { path: '/api/v1/incidents?state=open' },
  listAgentIncidents: { path: `${agent}/incidents` },
  labelIncident: { path: `${agent}/incidents/${EPOCH}/17/label`, body: { verdict: 'real', class: 'disk full' } },
  withdrawLabel: { path: `${agent}/incidents/${EPOCH}/17/label`, status: 204 },
  listSeriesChanges: { path: `${agent}/series-changes` },
  listIncidentClasses: { path: '/api/v1/incident-classes' },
  listMaintenance: { path: '/api/v1/maintenance?agent=pump-7' },
  planMaintenance: { path: '/api/v1/maintenance', body: { toMs: START_MS + 3_600_000, reason: 'new pump' } },
  endMaintenance: { path: '/api/v1/maintenance/00000000-0000-0000-0000-000000000000/end', status: 404 },
  getAlerts: { path: '/api/v1/alerts?limit=5' },
  listContacts: { path: '/api/v1/alerts/contacts?overdue=true' },
  testTarget: { path: '/api/v1/alerts/targets/on-call/test' },
  getBudget: { path: '/api/v1/budget' },
  getEvidence: { path: `${agent}/incidents/${EPOCH}/17/evidence` },
  listEvents: { path: `${agent}/events` },
  getDocument: { path: `${agent}/documents/inventory` },
  getLedger: { path: `${agent}/ledger` },
  checkLedger: { path: `${agent}/ledger/check` },
  listQuarantine: { path: `${agent}/quarantine` },
  getQuarantined: { path: `${agent}/quarantine/${EPOCH}/9/7` },
  listModels: { path: '/api/v1/models' },
  listAgentModels: { path: `${agent}/models` },
  getModel: { path: '/api/v1/models/3' },
  getModelReport: { path: '/api/v1/models/3/report' },
  trainModels: { path: '/api/v1/models/train', body: { agent: 'pump-7' } },
  listRollouts: { path: '/api/v1/rollouts' },
  pauseRollout: { path: '/api/v1/rollouts/1/pause' },
  resumeRollout: { path: '/api/v1/rollouts/1/resume' },
  promoteRollout: { path: '/api/v1/rollouts/1/promote' },
  rollbackRollout: { path: '/api/v1/rollouts/1/rollback' },
  pinModel: { path: '/api/v1/models/3/pin' },
  unpinModel: { path: `${agent}/unpin`, body: { slot: 'model/seasonal' } },
  listCohorts: { path: '/api/v1/cohorts' },
  findCohorts: { path: '/api/v1/cohorts/round' },
  renameCohort: { path: '/api/v1/cohorts/a/rename', body: { name: 'pumps' } },
  setCohort: { path: `${agent}/cohort`, body: { cohort: 'pumps' } },
  listConfigurations: { path: '/api/v1/configuration' },
  getConfiguration: { path: '/api/v1/configuration/all' },
  changeConfiguration: { path: '/api/v1/configuration/all', body: { text: '' }, status: 400 },
  checkConfiguration: { path: '/api/v1/configuration/all/check', body: { text: 'wrong: 1' } },
  listConfigurationVersions: { path: '/api/v1/configuration/all/versions' },
  revertConfiguration: { path: '/api/v1/configuration/all/revert', body: { version: 1 } },
  pauseConfiguration: { path: '/api/v1/configuration/all/pause' },
  resumeConfiguration: { path: '/api/v1/configuration/all/resume' },
  promoteConfiguration: { path: '/api/v1/configuration/all/promote' },
  rollbackConfiguration: { path: '/api/v1/configuration/all/rollback' },
  getAgentConfiguration: { path: `${agent}/configuration` },
  getKeys: { path: '/api/v1/keys' },
  rotateKey: { path: '/api/v1/keys/rotate', body: { role: 'rollout' } },
  forgetKey: { path: '/api/v1/keys/offline', body: { role: 'model' } },
  getKeysRequest: { path: '/api/v1/keys/request' },
  takeSigned: { path: '/api/v1/keys/take', body: { payloadType: 'a/b', payload: 'eA==', signatures: [] } },
  listMutes: { path: `${agent}/mutes` },
  muteAgent: { path: `${agent}/mute`, body: { forMs: 7_200_000, rule: 'oom-kill', reason: 'a test' } },
  unmuteAgent: { path: `${agent}/unmute`, body: {} },
  watch: { path: `${agent}/live?series=${SERIES}`, stream: true },
  fetchValues: { path: `${agent}/values?series=${SERIES}&${range}` },
  streamEvents: { path: '/api/v1/events', stream: true },
  listTokens: { path: '/api/v1/tokens' },
  createToken: { path: '/api/v1/tokens', body: { maxUses: 2 } },
  revokeToken: { path: '/api/v1/tokens/abcd', status: 204 },
  enrol: { path: '/api/v1/enrol', body: { token: 't', name: 'pump' } },
  getForecasts: { path: `${agent}/forecasts` },
  listSoonestEnds: { path: '/api/v1/forecasts' },
  getCa: { path: '/api/v1/ca' },
  getStatus: { path: '/api/v1/status' },
  listAudit: { path: '/api/v1/audit' },
  getOpenapi: { path: '/api/v1/openapi.json' },
  getMetrics: { path: '/metrics' },
  getFleetMetrics: { path: '/metrics/fleet' },
  getHealth: { path: '/healthz' },
  openExchange: { path: '/api/v1/exchange/key', body: { agent: 'pump-7', direction: 'up', salt: 'ab'.repeat(32) } },
  importRecords: { path: `${agent}/exchange/records`, body: {}, status: 400 },
  importReported: { path: `${agent}/exchange/reported?series=${EPOCH}&number=1`, body: {}, status: 400 },
  getHandover: { path: `${agent}/exchange/desired` },
  getExchangeChunk: { path: `${agent}/exchange/blobs/${'ab'.repeat(32)}/0` },
  makeBackup: { path: '/api/v1/backup', body: { passphrase: 'ten letters and more' } },
};

type Json = Record<string, unknown>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Json };
}

let server: TestServer;
let origin: string;
let document: Document;
const routes: RouteOptions[] = [];

beforeAll(async () => {
  const { services } = fakeServices();
  const fleet: typeof services.fleet = {
    ...services.fleet,
    enrol: async () => ({
      agent: 'pump-7',
      name: 'Pump',
      broker: 'mqtts://central.example:8883',
      prefix: 'picket/1',
      username: 'pump-7',
      password: 'p',
      ca: null,
      rootKey: 'k',
    }),
  };
  server = await startTestServer({
    caPem: 'PEM',
    onRoute: (route) => void routes.push(route),
    services: { fleet },
  });
  origin = await server.app.listen({ port: 0, host: '127.0.0.1' });
  document = (await (await fetch(`${origin}/api/v1/openapi.json`)).json()) as Document;
});
afterAll(() => server.app.close());

function operations(): { path: string; method: string; operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
}

/** Holds a body against a schema of the document. */
async function validator(): Promise<(schema: Json) => (body: unknown) => unknown> {
  const app = Fastify({ ajv: { customOptions: { strict: false, coerceTypes: false, removeAdditional: false } } });
  // The compiler is made for the first route that has something to validate.
  app.get('/', { schema: { querystring: { type: 'object' } } }, async () => null);
  await app.ready();
  const definitions = JSON.parse(
    JSON.stringify(document.components.schemas).replaceAll('#/components/schemas/', '#/definitions/'),
  );
  return (schema) => {
    const local = JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', '#/definitions/'));
    const validate = app.validatorCompiler!({
      schema: { ...local, definitions },
      method: 'GET',
      url: '/',
    } as never) as unknown as { (body: unknown): boolean; errors: unknown };
    return (body) => (validate(body) ? null : validate.errors);
  };
}

test('every route is described, and everything that is described is a route', () => {
  expect(document.openapi).toBe('3.1.0');
  const served = routes
    .filter((route) => (route.schema as { hide?: boolean } | undefined)?.hide !== true)
    .flatMap((route) => [route.method].flat().map((method) => `${method.toLowerCase()} ${route.url}`))
    .filter((route) => !route.startsWith('head '))
    .map((route) => route.replace(/:(\w+)/g, '{$1}'));
  const described = operations().map(({ path, method }) => `${method} ${path}`);
  expect(described.sort()).toEqual(served.sort());
  expect(
    operations()
      .map(({ operation }) => operation.operationId)
      .sort(),
  ).toEqual(Object.keys(samples).sort());
  for (const { operation } of operations()) expect(operation.summary).not.toBe('');
});

test('every operation answers as its description says', async () => {
  const validate = await validator();
  for (const { path, method, operation } of operations()) {
    const sample = samples[operation.operationId]!;
    const answer = await fetch(`${origin}${sample.path}`, {
      method: method.toUpperCase(),
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        ...(sample.body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(sample.body !== undefined && { body: JSON.stringify(sample.body) }),
    });
    const what = `${method} ${path}`;
    expect([what, answer.status]).toEqual([what, sample.status ?? 200]);
    const described = operation.responses[answer.status];
    expect(described, `${what} does not describe ${answer.status}`).toBeDefined();
    if (answer.status === 204) continue;
    const type = answer.headers.get('content-type')!.split(';')[0]!;
    const content = described!.content?.[type];
    expect(content, `${what} does not describe ${type}`).toBeDefined();
    if (sample.stream) {
      await answer.body!.cancel();
      continue;
    }
    const body = type.endsWith('json') ? await answer.json() : await answer.text();
    expect([what, validate(content!.schema)(body)]).toEqual([what, null]);
  }
});

test('every operation but the open ones refuses who is not logged in, as a described problem', async () => {
  const validate = await validator();
  const open = ['logIn', 'enrol', 'getCa', 'getOpenapi', 'getHealth', 'getMetrics', 'getFleetMetrics'];
  for (const { path, method, operation } of operations()) {
    if (open.includes(operation.operationId)) continue;
    const sample = samples[operation.operationId]!;
    const answer = await fetch(`${origin}${sample.path}`, { method: method.toUpperCase() });
    expect([path, answer.status]).toEqual([path, 401]);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const schema = operation.responses['401']!.content!['application/problem+json']!.schema;
    expect(validate(schema)(await answer.json())).toBeNull();
  }
});
