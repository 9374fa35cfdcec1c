/**
 * Export and import while no agent runs: the outbox is opened here. What is to be run is left for the agent's next
 * start (`pending.ts`), as only the agent can try whether it runs.
 */
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../shared/clock.ts';
import { PicketError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { keyIdOf } from '../../shared/trust/dsse.ts';
import type { Enrolment } from '../../shared/trust/enrolment.ts';
import type { ExchangeMessage } from '../../shared/trust/exchange.ts';
import { reportOfKeyList } from '../../shared/trust/key-list.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { openApplyFiles } from '../apply/files.ts';
import type { ApplyReport, ApplyStore } from '../apply/options.ts';
import { type ApplyState, emptyApplyState, readApplyState } from '../apply/state.ts';
import { readBootId } from '../boot.ts';
import type { AgentConfig } from '../config.ts';
import { supportedSlots } from '../models/slots.ts';
import type { QueueOutbox } from '../outbox/queue.ts';
import { repairInChild } from '../outbox/repair.ts';
import { ownCommand } from '../own-command.ts';
import { Keeper, remember } from '../wiring/meta.ts';
import { type Desk, openDesk } from './desk.ts';
import { Exports } from './exports.ts';
import { keepPending, pendingVersion } from './pending.ts';
import { settleByHand } from './settle.ts';

const COMMIT_BYTES = 64 * 1024;
const COMMIT_MS = 1000;

export interface LocalOptions {
  readonly dataDir: string;
  readonly config: AgentConfig;
  readonly enrolment: Enrolment;
  readonly version: string;
  readonly clock: Clock;
  readonly procRoot: string;
  readonly log: Log;
}

/** A desk that opens the outbox for as long as each of its works lasts. Throws `conflict` while another process has it. */
export function localDesk(options: LocalOptions): Desk {
  return {
    async *export(roomBytes) {
      const open = await openLocal(options);
      try {
        yield* open.desk.export(roomBytes);
      } finally {
        await open.close();
      }
    },
    async import(messages: AsyncIterable<ExchangeMessage>) {
      const open = await openLocal(options);
      try {
        const result = await open.desk.import(messages);
        return { ...result, waiting: await open.leavePending() };
      } finally {
        await open.close();
      }
    },
  };
}

async function openLocal({ dataDir, config, enrolment, version, clock, procRoot, log }: LocalOptions) {
  const back = await becomeOwnerOf(dataDir);
  let outbox: QueueOutbox | null = null;
  try {
    const bootId = readBootId(procRoot);
    // Loaded only now: the executable then unpacks its database's library into the directory, and it must be its owner's.
    const { openLevelOutbox } = await import('../outbox/level.ts');
    outbox = await openLevelOutbox({
      directory: join(dataDir, 'outbox'),
      limitBytes: config.outbox.size,
      keepAcknowledgedMs: config.outbox.keepAcknowledged,
      commitIntervalMs: COMMIT_MS,
      commitBytes: COMMIT_BYTES,
      clock,
      timers: {
        after: (delayMs, callback) => setTimeout(callback, delayMs),
        cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
      },
      random: randomBytes,
      bootId,
      log,
      wall: () => ({ wallMs: clock.wallMs(), wallTrusted: 'unknown' }),
      repair: repairInChild(ownCommand('repair-outbox')),
    });
    const { failing } = outbox.stats();
    if (failing !== null) {
      throw new PicketError(
        'conflict',
        `the outbox in ${dataDir} cannot be opened (${failing.message}); does another process use it?`,
      );
    }
    const opened = outbox;
    const store = await openApplyFiles(join(dataDir, 'models'));
    const apply = new LaterApply(await stateOf(store, enrolment), await pendingVersion(dataDir));
    const remembered = await remember(opened);
    let { incarnation } = remembered;
    const failed = (): void => {};
    const keeper = new Keeper(opened, failed);
    const desk = openDesk({
      agent: enrolment.agent,
      version,
      bootId,
      outbox: opened,
      clock,
      exports: await Exports.open({ outbox: opened, random: randomBytes, failed }),
      believed: () => incarnation,
      reported: () =>
        encodeJson({ agentVersion: version, ...apply.report(), supports: supportedSlots, health: {}, warnings: [] }),
      apply,
      store,
      settle: async (acks, mayReplace) => {
        const settled = await settleByHand(opened, incarnation, acks, mayReplace);
        if (settled.incarnation !== null && settled.incarnation !== incarnation) {
          incarnation = settled.incarnation;
          keeper.incarnation(incarnation);
        }
        return settled.taken;
      },
      heard: (centralMs) => {
        if (centralMs > (remembered.latestCentralMs ?? 0)) keeper.centralMs(centralMs);
      },
    });
    return {
      desk,
      /** Leaves the manifest to the agent's next start; true where there is one. */
      async leavePending(): Promise<boolean> {
        if (apply.manifest === null) return false;
        await keepPending(dataDir, apply.manifest);
        return true;
      },
      async close(): Promise<void> {
        await opened.close();
        back();
      },
    };
  } catch (error) {
    await outbox?.close().catch(() => {});
    back();
    throw error;
  }
}

/** Stands in for the agent's apply stage: says what is applied, and keeps the manifest that came. */
class LaterApply {
  readonly #state: ApplyState;
  readonly #waiting: number;
  manifest: Uint8Array | null = null;

  /** @param waiting version of the manifest that waits already; an older one must not take its place */
  constructor(state: ApplyState, waiting: number) {
    this.#state = state;
    this.#waiting = waiting;
  }

  desired(bytes: Uint8Array): void {
    this.manifest = bytes.slice();
  }

  lookAgain(): void {}

  async idle(): Promise<void> {}

  status(): ApplyReport {
    const report = this.report();
    return { ...report, manifestVersion: Math.max(report.manifestVersion, this.#waiting) };
  }

  /** What is in force. */
  report(): ApplyReport {
    const { floor, slots, keys } = this.#state;
    return {
      manifestVersion: floor,
      applied: Object.entries(slots).map(([slot, { current }]) => ({
        slot,
        releaseSha256: current.releaseSha256,
        appliedMs: current.appliedMs,
      })),
      supports: [],
      refusals: [],
      commandsDone: [],
      ...(keys === null ? {} : { keyList: reportOfKeyList(keys, false) }),
    };
  }
}

async function stateOf(store: ApplyStore, { rootKey, agent }: Enrolment): Promise<ApplyState> {
  const root = keyIdOf(rootKey);
  try {
    const bytes = await store.readState();
    const state = bytes === null ? null : readApplyState(bytes);
    if (state !== null && state.root === root && state.agent === agent) return state;
  } catch {
    // The agent tells it at its start; here it is as if nothing were applied.
  }
  return emptyApplyState(root, agent);
}

/** As root, what is written in a service's directory must be that service's; returns the way back. */
async function becomeOwnerOf(directory: string): Promise<() => void> {
  const { geteuid, getegid, seteuid, setegid } = process;
  if (geteuid === undefined || getegid === undefined || seteuid === undefined || setegid === undefined) return () => {};
  const [user, group] = [geteuid(), getegid()];
  const owner = await stat(directory);
  if (user !== 0 || owner.uid === 0) return () => {};
  setegid(owner.gid);
  seteuid(owner.uid);
  return () => {
    seteuid(user);
    setegid(group);
  };
}
