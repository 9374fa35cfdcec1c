/**
 * For Prometheus: the central's own counters, and the current values of the fleet.
 *
 * Who may read: a session, the admin token as Bearer, and, where the central serves plain loopback, anybody on this
 * machine whose request was not forwarded by a proxy and names a loopback host (so that a page of another site that has
 * its name resolved to 127.0.0.1 reads nothing).
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLoopback } from '../../../shared/address.ts';
import { PicketError } from '../../../shared/errors.ts';
import { MINUTE_MS } from '../../../shared/limits.ts';
import { formatSeries } from '../../../shared/series.ts';
import type { AgentState } from '../../api.ts';
import { addAlertMetrics } from '../alert-metrics.ts';
import { addBudgetMetrics } from '../budget-metrics.ts';
import { type RouteContext, requireAgent } from '../context.ts';
import { identify } from '../guard.ts';
import { LedgerMetrics } from '../ledger-metrics.ts';
import { labelsOf, MetricsPage, metricName, PROMETHEUS_TYPE } from '../prometheus.ts';
import { agentId, answers, object } from '../schemas.ts';

/** A value is current while its window ended no longer ago than this: two windows of ten minutes and some delay. */
const CURRENT_MS = 25 * MINUTE_MS;

/** Of the counters of ingest and broker, those that also go down. */
const GAUGES = new Set(['connections']);

export function metricsRoutes(app: FastifyInstance, context: RouteContext, openOnLoopback: boolean): void {
  const { services, auth, cookie } = context;
  const ledgers = new LedgerMetrics(context);
  const page = { 200: { description: 'Text format 0.0.4', content: { 'text/plain': { schema: { type: 'string' } } } } };

  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const principal = await identify(auth, cookie, request, reply);
    if (principal === null && !(openOnLoopback && isLocal(request))) {
      throw new PicketError('auth.required', 'Metrics need a session or the admin token as Bearer.');
    }
  });

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        tags: ['metrics'],
        summary: "The central's own counters for Prometheus",
        response: { ...answers('nothing'), ...page },
      },
    },
    async (_request, reply) => reply.type(PROMETHEUS_TYPE).send(await ownMetrics(context, ledgers)),
  );

  app.get<{ Querystring: { agent?: string } }>(
    '/metrics/fleet',
    {
      schema: {
        operationId: 'getFleetMetrics',
        tags: ['metrics'],
        summary: 'Current values of all machines, or of one, for Prometheus',
        querystring: object({ agent: agentId }, ['agent']),
        response: { ...answers('nothing', 404), ...page },
      },
    },
    async (request, reply) => {
      const { agent } = request.query;
      const agents = agent === undefined ? services.fleet.agents() : [requireAgent(context, agent)];
      return reply.type(PROMETHEUS_TYPE).send(await fleetMetrics(context, agents));
    },
  );
}

async function ownMetrics(context: RouteContext, ledgers: LedgerMetrics): Promise<string> {
  const { services } = context;
  const page = new MetricsPage();
  page.add('gauge', 'picket_central_info', 'Version of the central', labelsOf({}, { version: services.version }), 1);
  for (const [name, value] of Object.entries(services.counters())) {
    const metric = `picket_central_${metricName({ name, unit: '' })}`;
    if (GAUGES.has(name)) page.add('gauge', metric, `Now ${name}`, '', value);
    else page.add('counter', `${metric}_total`, `Counter ${name}`, '', value);
  }
  const stats = await services.store.stats();
  const gauges = [
    ['disk_bytes', 'Bytes of the store on disk', stats.diskBytes],
    ['wire_bytes', 'Bytes that arrived and are stored', stats.wireBytes],
    ['free_bytes', 'Free bytes on the disk of the store', stats.freeBytes],
    ['days_left', 'Days that the disk will last', stats.daysLeft],
    ['series', 'Series that are stored', stats.series],
  ] as const;
  for (const [name, help, value] of gauges) {
    if (value !== null) page.add('gauge', `picket_central_store_${name}`, help, '', value);
  }
  for (const presence of ['online', 'offline', 'unknown'] as const) {
    const count = services.fleet
      .agents()
      .filter((agent) => agent.presence === presence && agent.retiredMs === null).length;
    page.add('gauge', 'picket_central_agents', 'Agents by presence', labelsOf({}, { presence }), count);
  }
  addAlertMetrics(page, services.alerts);
  addBudgetMetrics(page, services.budget());
  await ledgers.addTo(page);
  page.add('gauge', 'picket_central_streams', 'Open streams of server-sent events', '', context.streams.count());
  const memory = process.memoryUsage.rss();
  page.add('gauge', 'process_resident_memory_bytes', 'Resident memory of the central', '', memory);
  const { user, system } = process.cpuUsage();
  page.add('counter', 'process_cpu_seconds_total', 'CPU time of the central', '', (user + system) / 1e6);
  return page.toString();
}

async function fleetMetrics(context: RouteContext, agents: readonly AgentState[]): Promise<string> {
  const { store, nowMs } = context.services;
  const page = new MetricsPage();
  for (const agent of agents) {
    if (agent.retiredMs !== null) continue;
    const labels = labelsOf({}, { agent: agent.id });
    const about = labelsOf({}, { agent: agent.id, name: agent.name, site: agent.site });
    page.add('gauge', 'picket_agent_info', 'Name and site of an agent', about, 1);
    page.add(
      'gauge',
      'picket_agent_online',
      '1 when the agent is connected',
      labels,
      agent.presence === 'online' ? 1 : 0,
    );
    page.add(
      'gauge',
      'picket_agent_pending_records',
      'Records that the agent still holds',
      labels,
      agent.pendingRecords,
    );
    page.add('gauge', 'picket_agent_open_incidents', 'Open incidents', labels, agent.openIncidents);
    if (agent.lastSeenMs !== null) {
      const help = 'When the agent was last heard';
      page.add('gauge', 'picket_agent_last_seen_timestamp_seconds', help, labels, agent.lastSeenMs / 1000);
    }
    for (const series of await store.latest(agent.id)) {
      if (nowMs() - series.timeMs > CURRENT_MS || Number.isNaN(series.last)) continue;
      const help = `${formatSeries({ ...series, attributes: {} })}, unit ${series.unit}, last value of the latest window`;
      page.add('gauge', metricName(series), help, labelsOf(series.attributes, { agent: agent.id }), series.last);
    }
  }
  page.add(
    'gauge',
    'picket_fleet_series_skipped',
    'Series whose name and labels another had already',
    '',
    page.skipped,
  );
  return page.toString();
}

function isLocal(request: FastifyRequest): boolean {
  const { headers } = request;
  const forwarded = 'x-forwarded-for' in headers || 'forwarded' in headers || 'via' in headers;
  const host = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(headers.host ?? '');
  return !forwarded && isLoopback(request.socket.remoteAddress ?? '') && isLoopback(host?.[1] ?? host?.[2] ?? '');
}
