/**
 * Keys while the central runs: which machine knows which, what follows from a change, and what waits for a signature
 * made elsewhere. A key that was replaced is dropped when each machine that ever reported has the list with its successor.
 */
import { messageOf, PicketError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { keyIdOf } from '../../shared/trust/dsse.ts';
import { parseKeyList, verifyBy } from '../../shared/trust/key-list.ts';
import { type KeyRole, payloadTypes, type Reported, type SignedEnvelope } from '../../shared/trust/messages.ts';
import { readRelease, roleOfRelease } from '../../shared/trust/verify.ts';
import type { CentralKeys } from '../keys.ts';
import type { KeyState, KeysService, KeysState, RequestItem, Rotation, WorkingRole } from './api.ts';
import type { UnsignedRelease } from './release-signing.ts';

export interface RunningKeysOptions {
  readonly keys: CentralKeys;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Machines that are not retired, with what they reported last. */
  readonly agents: () => readonly { readonly id: string; readonly reported: Reported | null }[];
  readonly acceptedList: (agent: string, reported: Reported) => number;
  readonly waiting: () => Promise<readonly UnsignedRelease[]>;
  readonly signed: (envelope: SignedEnvelope) => Promise<boolean>;
  /** For the audit trail: what the central did by itself. */
  readonly note: (action: string, detail: string) => Promise<void>;
  /** The list is another: manifests are to carry it. */
  readonly changed: () => Promise<void>;
}

export class RunningKeys implements KeysService {
  readonly #options: RunningKeysOptions;

  constructor(options: RunningKeysOptions) {
    this.#options = options;
  }

  async state(): Promise<KeysState> {
    const { keys, waiting } = this.#options;
    const machines = this.#machines();
    const behind = machines.filter(({ version }) => version < keys.list.version);
    return {
      version: keys.list.version,
      madeMs: keys.list.madeMs ?? null,
      keys: this.#keyStates(machines.map(({ version }) => version)),
      machines: machines.length,
      behind: behind.map(({ agent, version }) => ({ agent, version: version === 0 ? null : version })),
      waiting: { list: keys.waiting !== null, releases: (await waiting()).length },
    };
  }

  async rotate(role: WorkingRole, rotation: Rotation): Promise<KeysState> {
    await this.#options.keys.rotate(role, rotation);
    await this.#options.changed();
    return await this.state();
  }

  async setOffline(role: KeyRole): Promise<KeysState> {
    await this.#options.keys.setOffline(role);
    return await this.state();
  }

  async request(): Promise<readonly RequestItem[]> {
    const { keys, waiting } = this.#options;
    const items: RequestItem[] = [];
    if (keys.waiting !== null) {
      const list = parseKeyList(Buffer.from(keys.waiting, 'base64'));
      items.push({
        payloadType: payloadTypes.keys,
        payload: keys.waiting,
        keyids: [keyIdOf(keys.rootKey)],
        about: `key list ${list.version}: ${list.keys.map(({ role, keyid }) => `${role} ${keyid}`).join(', ')}`,
      });
    }
    for (const { payload, agent, slot, version } of await waiting()) {
      const signers = keys.list.keys.filter(({ role }) => role === roleOfRelease(slot));
      items.push({
        payloadType: payloadTypes.release,
        payload,
        keyids: signers.map(({ keyid }) => keyid),
        about: `${roleOfRelease(slot)} ${version} (${slot}) for ${agent}`,
      });
    }
    return items;
  }

  async take(envelope: SignedEnvelope): Promise<boolean> {
    const { keys, nowMs, signed, changed } = this.#options;
    if (envelope.payloadType === payloadTypes.keys) {
      const taken = await keys.take(envelope);
      if (taken) await changed();
      return taken;
    }
    const { kind } = readRelease(envelope);
    verifyBy(envelope, payloadTypes.release, keys.list, [roleOfRelease(kind)], nowMs());
    return await signed(envelope);
  }

  /** An agent says which list it goes by. */
  async reported(agent: string, { keyList }: Reported): Promise<void> {
    const { keys, log, note, changed } = this.#options;
    try {
      if (keyList?.envelope !== undefined && (await keys.goAbove(keyList.envelope))) {
        log.warn(
          { agent, theirs: keyList.version, ours: keys.list.version, waits: keys.waiting !== null },
          'an agent has a newer list of keys: this central was restored, and goes on above it',
        );
        await note('keys.above', `${agent} has list ${keyList.version}`);
        await changed();
      }
      const versions = this.#machines().map(({ version }) => version);
      const everybodyHas = versions.reduce((least, version) => Math.min(least, version), keys.list.version);
      if (versions.length > 0 && (await keys.settle(everybodyHas))) {
        await note('keys.settle', `all ${versions.length} machines have the new keys; list ${keys.list.version}`);
        await changed();
      }
    } catch (error) {
      log.warn({ agent, problem: messageOf(error) }, 'the list of keys that an agent reports is not to be gone by');
    }
  }

  #machines(): readonly { readonly agent: string; readonly version: number }[] {
    const { agents, acceptedList } = this.#options;
    return agents().flatMap(({ id, reported }) =>
      reported === null ? [] : [{ agent: id, version: acceptedList(id, reported) }],
    );
  }

  #keyStates(versions: readonly number[]): readonly KeyState[] {
    const { keys, nowMs } = this.#options;
    const { list } = keys;
    const coming = keys.waiting === null ? [] : parseKeyList(Buffer.from(keys.waiting, 'base64')).keys;
    const fresh = coming.filter(({ keyid }) => !list.keys.some((key) => key.keyid === keyid));
    const has = (least: number) => versions.filter((version) => version >= least).length;
    const root: KeyState = {
      role: 'root',
      keyid: keyIdOf(keys.rootKey),
      publicKey: keys.rootKey,
      state: 'in force',
      here: keys.rootHeld,
      notBeforeMs: null,
      notAfterMs: null,
      acceptedBy: versions.length,
    };
    const states = [...list.keys, ...fresh].map(({ role, keyid, publicKey, notBeforeMs, notAfterMs }): KeyState => {
      const waits = fresh.some((key) => key.keyid === keyid);
      const newest = list.keys.findLast((key) => key.role === role)?.keyid === keyid;
      const acceptedBy = waits ? 0 : has(Math.max(1, keys.joined(keyid)));
      const state = waits
        ? 'waiting'
        : notAfterMs !== undefined && notAfterMs < nowMs()
          ? 'expired'
          : !newest
            ? 'leaving'
            : acceptedBy < versions.length
              ? 'joining'
              : 'in force';
      const times = { notBeforeMs: notBeforeMs ?? null, notAfterMs: notAfterMs ?? null };
      return { role, keyid, publicKey, state, here: keys.holds(keyid), ...times, acceptedBy };
    });
    return [root, ...states];
  }
}

/** Named by a person. Throws `usage.invalid`. */
export function checkedRole<R extends KeyRole>(role: string | undefined, roles: readonly R[]): R {
  const found = roles.find((each) => each === role);
  if (found !== undefined) return found;
  throw new PicketError('usage.invalid', `say which key: ${roles.join(', ')}.`);
}
