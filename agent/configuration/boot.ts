/**
 * The configuration to start with, before anything of the agent is there: the last good one of the central over the
 * machine's own file. One on trial is counted first, durably, so that one that the agent dies of, however early, is taken
 * back with the third start in a row; without a central, and without a clock.
 */
import { join } from 'node:path';
import { configurationForm, type ManagedConfiguration, parseManaged } from '../../shared/config/managed.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { keyIdOf } from '../../shared/trust/dsse.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { openApplyFiles } from '../apply/files.ts';
import type { ApplyStore } from '../apply/options.ts';
import { readKept } from '../apply/release-files.ts';
import { type AppliedRelease, type ApplyState, readApplyState } from '../apply/state.ts';
import { loopsOf, startCounted, takenBack } from '../apply/trials.ts';
import type { AgentConfig, InputKinds } from '../config.ts';
import { readEnrolment } from '../enrolment.ts';
import { type EffectiveConfiguration, effectiveConfiguration, type LocalConfiguration } from './effective.ts';

const slot = configurationForm.kind;

export interface BootOptions {
  readonly local: LocalConfiguration;
  readonly kinds: InputKinds;
  readonly dataDir: string;
  readonly wallMs: () => number;
  readonly log: Log;
}

export interface Booted {
  readonly config: AgentConfig;
  /** What the central says, and its hash; null: nothing is in force. */
  readonly managed: { readonly content: ManagedConfiguration; readonly sha256: string } | null;
  readonly left: readonly string[];
  /** What ran before it; null where it is not on trial. */
  readonly before: AgentConfig | null;
  /** Why the last good one is not in force. */
  readonly problem: string | null;
  /** The agent did not come up: takes back what is on trial. False: nothing is. */
  failed(error: unknown): Promise<boolean>;
}

/** Throws `config.invalid`, `config.unreadable` where the machine's own file asks for secrets that are not there. */
export async function bootConfiguration(options: BootOptions): Promise<Booted> {
  const { local, kinds, log } = options;
  const own = await effectiveConfiguration(local, null, kinds);
  const alone: Booted = {
    config: own.config,
    managed: null,
    left: [],
    before: null,
    problem: null,
    failed: async () => false,
  };
  if (!local.config.managed) return alone;
  try {
    return (await bootManaged(options, own)) ?? alone;
  } catch (error) {
    log.error({ problem: messageOf(error) }, 'what the central configured cannot be used; the own file holds');
    return { ...alone, problem: messageOf(error).slice(0, 300) };
  }
}

async function bootManaged(options: BootOptions, own: EffectiveConfiguration): Promise<Booted | null> {
  const { local, kinds, dataDir, wallMs, log } = options;
  const enrolment = await readEnrolment(dataDir);
  if (enrolment === null) return null;
  const store = await openApplyFiles(join(dataDir, 'models'));
  let state = await readState(store);
  if (state === null || state.root !== keyIdOf(enrolment.rootKey) || state.agent !== enrolment.agent) return null;
  const save = async (change: Partial<ApplyState>): Promise<void> => {
    state = { ...state!, ...change };
    await store.writeState(encodeJson(state));
  };
  const takeBack = async (releaseSha256: string, reason: string): Promise<void> => {
    log.error({ release: releaseSha256, reason }, 'the configuration is taken back; the one before is in force');
    await save(takenBack(state!, slot, releaseSha256, reason, wallMs()));
  };
  if (state.trials[slot] !== undefined) {
    await save(startCounted(state, (each) => each === slot));
    const loop = loopsOf(state).find((each) => each.slot === slot);
    if (loop !== undefined) await takeBack(loop.releaseSha256, loop.reason);
  }
  const read = async (applied: AppliedRelease) => {
    const { content } = await readKept(store, applied);
    const managed = { content: parseManaged(content), sha256: sha256Hex(content) };
    return { ...(await effectiveConfiguration(local, managed.content.values, kinds)), managed };
  };
  const held = state.slots[slot];
  if (held === undefined) return null;
  const onTrial = state.trials[slot]?.releaseSha256 === held.current.releaseSha256;
  let problem: string | null = null;
  for (const applied of [held.current, held.previous]) {
    if (applied === null) continue;
    try {
      const { config, left, managed } = await read(applied);
      const before =
        !onTrial || applied !== held.current
          ? null
          : held.previous === null
            ? own.config
            : await read(held.previous).then(
                (previous) => previous.config,
                () => own.config,
              );
      const failed = async (error: unknown): Promise<boolean> => {
        if (before === null) return false;
        await takeBack(applied.releaseSha256, `the agent does not start with it: ${messageOf(error)}`);
        return true;
      };
      return { config, managed, left, before, problem, failed };
    } catch (error) {
      problem = messageOf(error).slice(0, 300);
      log.error({ release: applied.releaseSha256, problem }, 'a configuration of the central cannot be used');
    }
  }
  return { config: own.config, managed: null, left: [], before: null, problem, failed: async () => false };
}

async function readState(store: ApplyStore): Promise<ApplyState | null> {
  const bytes = await store.readState();
  return bytes === null ? null : readApplyState(bytes);
}
