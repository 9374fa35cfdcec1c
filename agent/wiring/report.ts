/** What `picket-agent status` shows of a running agent. */
import type { ConfigurationStage } from '../configuration/stage.ts';
import type { FailoverOutbox } from '../outbox/failover.ts';
import type { AgentReport } from '../status.ts';
import type { Sensing } from './sensing.ts';
import type { Uplink } from './uplink.ts';

export interface ReportParts {
  readonly sensing: Sensing;
  readonly outbox: Pick<FailoverOutbox, 'stats'>;
  readonly uplink: Uplink | null;
  readonly warnings: readonly string[];
  readonly configuration: Pick<ConfigurationStage, 'report'> | undefined;
}

export function reportOf({ sensing, outbox, uplink, warnings, configuration }: ReportParts): AgentReport {
  const { failing, ...held } = outbox.stats();
  return {
    agent: uplink?.agent ?? null,
    connection: {
      state: uplink === null ? 'not enrolled' : uplink.connectedSinceMs === null ? 'connecting' : 'connected',
      broker: uplink?.broker ?? null,
      sinceMonotonicMs: uplink?.connectedSinceMs ?? null,
      lastAckMonotonicMs: uplink?.lastAckMs ?? null,
      problem: null,
    },
    outbox: { ...held, failing: failing?.message ?? null },
    incidents: sensing.incidents
      .current()
      .map(({ severity, title, openedMs, notify }) => ({ severity, title, openedMs, wakes: notify?.wakes ?? false })),
    budget: sensing.budget.figures(),
    mutes: sensing.mutes.list(),
    models: (uplink?.applied().applied ?? []).map(({ slot, releaseSha256, appliedMs }) => ({
      slot,
      release: releaseSha256,
      appliedMs,
    })),
    inputs: sensing.runner.health().map(({ name, state, lastError, failures }) => ({
      label: name,
      series: 0,
      failures,
      failing: state === 'ok' ? null : (lastError?.message ?? null),
    })),
    series: sensing.registry.size,
    warnings,
    ...(configuration === undefined ? {} : { configuration: configuration.report() }),
  };
}
