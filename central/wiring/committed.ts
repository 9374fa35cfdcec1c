/** What follows a commit: the fleet's state, news for the pages, windows for the trainer. */
import { messageOf } from '../../shared/errors.ts';
import type { StateEvent } from '../../shared/findings.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import { AGENT_MUTE } from '../../shared/mute.ts';
import type { Envelope } from '../../shared/wire/envelope.ts';
import { contains, countSeqs, subtract } from '../../shared/wire/ranges.ts';
import type { Audit, Bus } from '../api.ts';
import type { CohortsService } from '../cohorts/service.ts';
import type { FleetRegistry } from '../fleet.ts';
import type { ModelsService } from '../models.ts';
import type { AgentId, CommitResult, IncomingRecord, Store } from '../store/store.ts';
import { vitalsOf } from '../vitals.ts';

export interface Followers {
  readonly store: Store;
  readonly fleet: FleetRegistry;
  readonly models: ModelsService;
  readonly cohorts: Pick<CohortsService, 'windowCommitted'>;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly nowMs: () => number;
  readonly log: Log;
  /** From `followVitals`. */
  readonly vitals: (agent: AgentId) => void;
  /** Something was noted of who the agent is. */
  readonly identity: (agent: AgentId) => void;
}

/** Reads an agent's vitals anew; while a backlog comes in, one look is under way and at most one waits. */
export function followVitals({
  store,
  fleet,
  log,
}: Pick<Followers, 'store' | 'fleet' | 'log'>): (agent: AgentId) => void {
  const looking = new Map<AgentId, { again: boolean }>();
  const look = async (agent: AgentId): Promise<void> => {
    const state = { again: false };
    looking.set(agent, state);
    try {
      do {
        state.again = false;
        fleet.onVitals(agent, vitalsOf(await store.latest(agent)));
      } while (state.again);
    } catch (error) {
      log.debug({ agent, problem: messageOf(error) }, 'vitals could not be read');
    } finally {
      looking.delete(agent);
    }
  };
  return (agent) => {
    const state = looking.get(agent);
    if (state === undefined) void look(agent);
    else state.again = true;
  };
}

export function committed(
  followers: Followers,
  envelope: Envelope,
  records: readonly IncomingRecord[],
  result: CommitResult,
): void {
  const { fleet, models, cohorts, bus, nowMs, vitals, identity } = followers;
  const { agent } = envelope;
  if (result.identityChanged === true) identity(agent);
  fleet.onEnvelope(agent, {
    receivedMs: nowMs(),
    pending: countSeqs(subtract(envelope.held, result.settled)),
  });
  let newestMs = 0;
  let nominalMs = MINUTE_MS;
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const { seq, content, timeMs } of records) {
    if (!contains(result.settled, seq)) continue;
    if (content.kind === 'summary') {
      if (timeMs >= newestMs) nominalMs = content.nominalMs;
      newestMs = Math.max(newestMs, timeMs);
      oldestMs = Math.min(oldestMs, timeMs);
    }
    if (content.kind === 'events') for (const event of content.events) auditMute(followers, agent, event);
    if (content.kind === 'evidence' && result.stored > 0) auditEvidence(followers, agent, content, timeMs);
    if (content.kind === 'incident') {
      const incident = { ...content.incident, agent };
      fleet.onIncident(incident);
      bus.publish({ type: 'incident', incident });
    }
  }
  if (newestMs === 0) return;
  cohorts.windowCommitted(agent, newestMs, oldestMs);
  models.windowCommitted(agent, newestMs, oldestMs, nominalMs);
  bus.publish({ type: 'summary', agent, timeMs: newestMs });
  vitals(agent);
}

/** Who muted what on a machine is of the audit trail, wherever it was done. */
function auditMute({ audit, log }: Followers, agent: AgentId, { key, to, atMs }: StateEvent): void {
  if (key.name !== AGENT_MUTE) return;
  const detail = `since ${new Date(atMs).toISOString()}: ${to}`;
  audit.add({ actor: `agent ${agent}`, action: 'agent.muted', target: agent, detail }).catch((error: unknown) => {
    log.warn({ agent, problem: messageOf(error) }, 'the audit trail could not be written');
  });
}

/** Full-rate values came with an incident: of which, how much, up to when. Which series, its page shows. */
function auditEvidence(
  { audit, log }: Followers,
  agent: AgentId,
  { incidentEpoch, incidentSeq, body }: Extract<IncomingRecord['content'], { kind: 'evidence' }>,
  timeMs: number,
): void {
  const detail = `${body.length} bytes for incident ${incidentEpoch}/${incidentSeq}, until ${new Date(timeMs).toISOString()}`;
  audit.add({ actor: `agent ${agent}`, action: 'raw.evidence', target: agent, detail }).catch((error: unknown) => {
    log.warn({ agent, problem: messageOf(error) }, 'the audit trail could not be written');
  });
}
