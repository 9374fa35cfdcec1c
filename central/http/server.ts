/**
 * The HTTP server of the central: the API below /api/v1, /metrics, /healthz, and the pages. Plain on loopback, https
 * with the given certificate everywhere else.
 *
 *     request → size of the URL → security headers → guard (session or token, CSRF) → schema → route → services
 *                                                                                          ↘ problem+json
 */
import type { Socket } from 'node:net';
import cookiePlugin from '@fastify/cookie';
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController, type RouteOptions } from 'fastify';
import { PicketError } from '../../shared/errors.ts';
import type { CentralServices } from '../api.ts';
import { type Assets, installAssets } from './assets.ts';
import type { Auth } from './auth.ts';
import type { RouteContext } from './context.ts';
import { installGuard, sessionCookie } from './guard.ts';
import { installProblems, sendProblem } from './problem.ts';
import { agentRoutes } from './routes/agents.ts';
import { alertRoutes } from './routes/alerts.ts';
import { backupRoutes } from './routes/backup.ts';
import { budgetRoutes } from './routes/budget.ts';
import { cohortRoutes } from './routes/cohorts.ts';
import { configurationRoutes } from './routes/configuration.ts';
import { enrolmentRoutes } from './routes/enrolment.ts';
import { evidenceRoutes } from './routes/evidence.ts';
import { exchangeRoutes } from './routes/exchange.ts';
import { feedbackRoutes } from './routes/feedback.ts';
import { forecastRoutes } from './routes/forecasts.ts';
import { historyRoutes } from './routes/history.ts';
import { incidentRoutes } from './routes/incidents.ts';
import { keyRoutes } from './routes/keys.ts';
import { ledgerRoutes } from './routes/ledger.ts';
import { liveRoutes } from './routes/live.ts';
import { maintenanceRoutes } from './routes/maintenance.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { modelRoutes } from './routes/models.ts';
import { muteRoutes } from './routes/mutes.ts';
import { rolloutRoutes } from './routes/rollouts.ts';
import { sessionRoutes } from './routes/session.ts';
import { statusRoutes } from './routes/status.ts';
import { summaryRoutes } from './routes/summaries.ts';
import { answers, object, oneOf, schemas } from './schemas.ts';
import { createEventStreams } from './sse.ts';

const MAX_BODY_BYTES = 64 * 1024;
/** 256 series ids are 4.3 KB. */
const MAX_URL_LENGTH = 8 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
/** How long answers that are under way may take when the server closes. */
const CLOSING_MS = 2_000;

export interface ServerOptions {
  readonly services: CentralServices;
  readonly auth: Auth;
  /** PEM; without them the server is plain, for loopback only. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** PEM of the CA, for GET /api/v1/ca. */
  readonly caPem?: string | null;
  readonly assets?: Assets;
  /** Believe `X-Forwarded-For` of these proxies (addresses or networks) for rate limits. */
  readonly trustProxy?: string[];
  /** Without TLS: answer /metrics to requests of this machine without a log in; default true. */
  readonly openMetricsOnLoopback?: boolean;
  readonly logger?: FastifyBaseLogger;
  /** Told of every route, so that a test can hold the description against it. */
  readonly onRoute?: (route: RouteOptions) => void;
}

/** Builds the server; the caller listens and closes. Closing ends all streams. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const { services, auth, tls } = options;
  const secure = tls !== undefined;
  const app = fastify({
    ...(secure && { https: { key: tls.key, cert: tls.cert, minVersion: 'TLSv1.2' } }),
    ...(options.logger !== undefined && { loggerInstance: options.logger }),
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: options.trustProxy ?? false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 128 },
    // An unknown parameter is an error, not something to drop in silence.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: 'array', allowUnionTypes: true } },
    frameworkErrors: (error, _request, reply) => void sendProblem(reply as never, error),
  }) as unknown as FastifyInstance;

  // JSON.stringify: it writes NaN as null, is faster on long arrays of numbers than generated serialisers, and what
  // the schemas promise is held by the tests.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  // A form of another site can send text/plain without asking; we take JSON alone.
  app.removeContentTypeParser('text/plain');
  app.decorateRequest('principal', null);
  installProblems(app);
  app.addHook('onRequest', async (request) => {
    if (request.url.length > MAX_URL_LENGTH) throw new PicketError('payload.too_large', 'The address is too long.');
  });

  if (options.onRoute !== undefined) app.addHook('onRoute', options.onRoute);
  const streams = createEventStreams();
  const stopEnding = auth.onEnd((sessionId) => streams.endSession(sessionId));
  app.addHook('preClose', async () => {
    stopEnding();
    streams.closeAll();
    // Browsers open connections that ask for nothing, and Node waits for those as long as for a request.
    setTimeout(() => sockets.forEach((socket) => void socket.destroy()), CLOSING_MS).unref();
  });
  const sockets = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  await app.register(helmet, securityHeaders(secure));
  await app.register(cookiePlugin);
  await describe(app, services.version, secure);
  for (const [name, schema] of Object.entries(schemas)) app.addSchema({ $id: name, ...schema });

  const context: RouteContext = {
    services,
    auth,
    cookie: sessionCookie(secure),
    streams,
    caPem: options.caPem ?? null,
  };
  await app.register(
    async (api) => {
      installGuard(api, auth, context.cookie);
      sessionRoutes(api, context);
      agentRoutes(api, context);
      summaryRoutes(api, context);
      incidentRoutes(api, context);
      feedbackRoutes(api, context);
      maintenanceRoutes(api, context);
      alertRoutes(api, context);
      budgetRoutes(api, context);
      evidenceRoutes(api, context);
      forecastRoutes(api, context);
      historyRoutes(api, context);
      ledgerRoutes(api, context);
      modelRoutes(api, context);
      cohortRoutes(api, context);
      rolloutRoutes(api, context);
      configurationRoutes(api, context);
      keyRoutes(api, context);
      liveRoutes(api, context);
      muteRoutes(api, context);
      enrolmentRoutes(api, context);
      statusRoutes(api, context);
      exchangeRoutes(api, context);
      backupRoutes(api, context);
    },
    { prefix: '/api/v1' },
  );
  await app.register(async (scope) =>
    metricsRoutes(scope, context, !secure && (options.openMetricsOnLoopback ?? true)),
  );
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'getHealth',
        tags: ['central'],
        summary: 'Answers while the central serves',
        security: [],
        response: answers(object({ status: oneOf('ok') })),
      },
    },
    async () => ({ status: 'ok' }),
  );
  if (options.assets !== undefined) installAssets(app, options.assets);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new PicketError('not_found', `There is no ${request.method} ${request.url.slice(0, 200)}.`)),
  );
  await app.ready();
  return app;
}

function securityHeaders(secure: boolean) {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        // Scripts may still set an element's style; only markup with styles and <style> are refused.
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    hsts: secure ? { maxAge: 31_536_000, includeSubDomains: false } : false,
  } as const;
}

async function describe(app: FastifyInstance, version: string, secure: boolean): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Picket central',
        version,
        description:
          'Times are Unix milliseconds, UTC. A missing value is null. Errors are application/problem+json with a stable `code`.',
      },
      components: {
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: secure ? '__Host-picket' : 'picket' },
          token: { type: 'http', scheme: 'bearer' },
        },
      },
      security: [{ session: [] }, { token: [] }],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `def-${i}`) },
  });
}
