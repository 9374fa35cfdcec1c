/**
 * The central's signing keys, made at the first start, and the list of them that the root key signs.
 *
 *   DATA/keys/root.pem            signs the list of the others; agents pin its public half at enrolment
 *   DATA/keys/model.pem           signs releases of models
 *   DATA/keys/configuration.pem   signs releases of configurations
 *   DATA/keys/rollout.pem         signs manifests
 *   DATA/keys/command.pem         signs commands
 *   DATA/keys/ROLE-old.pem        signs beside its successor until all agents know that one
 *   DATA/keys/ROLE-next.pem       waits for a root that is kept elsewhere
 *   DATA/keys/keys.json           the root's public key, the signed list, and what waits for the root; written last
 *
 * With keys.json present no root is ever made anew: another one would lock out every agent. root.pem is not needed to
 * run; model.pem and configuration.pem are not where keys.json says that they are offline.
 *
 * A new key is appended to the list; the last one of a role signs first. A list grows and shrinks by whole versions.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PicketError } from '../shared/errors.ts';
import { encodeEnvelope, keyIdOf, type SigningKey, sign } from '../shared/trust/dsse.ts';
import { newerKeyList, parseKeyList, verifyKeyList } from '../shared/trust/key-list.ts';
import {
  type Command,
  type KeyList,
  type KeyRole,
  type PublicKeyEntry,
  payloadTypes,
  type SignedEnvelope,
} from '../shared/trust/messages.ts';
import { encodeJson } from '../shared/trust/strict.ts';
import type { Rotation, WorkingRole } from './keys/api.ts';
import {
  generateKey,
  type HeldKey,
  type KeyPlace,
  keyFile,
  loadKey,
  placeKeys,
  readIfThere,
  saveKey,
  writeDurably,
} from './keys/files.ts';
import { readSaved, type Saved } from './keys/saved.ts';

export const workingRoles = ['model', 'configuration', 'rollout', 'command'] as const;
/** Roles that a central can run without. */
export const mayBeOffline: readonly KeyRole[] = ['model', 'configuration', 'root'];
const places: readonly KeyPlace[] = ['current', 'old', 'next'];

/** Opens the keys in this directory, or makes them. Throws `config.unreadable`, `config.invalid`, `signature.invalid`. */
export async function openKeys(directory: string, nowMs: () => number = Date.now): Promise<CentralKeys> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const keys = new CentralKeys(directory, nowMs);
  await keys.reload();
  return keys;
}

/** The bytes of down/command. */
export function signCommand(keys: Pick<CentralKeys, 'sign'>, command: Command): Uint8Array {
  return encodeEnvelope(keys.sign('command', payloadTypes.command, encodeJson(command)));
}

export class CentralKeys {
  readonly #directory: string;
  readonly #nowMs: () => number;
  #saved!: Saved;
  #list!: KeyList;
  #held: ReadonlyMap<string, HeldKey> = new Map();
  #root: HeldKey | null = null;
  /** Changes of the list, one after another. */
  #chain: Promise<unknown> = Promise.resolve();

  constructor(directory: string, nowMs: () => number) {
    this.#directory = directory;
    this.#nowMs = nowMs;
  }

  /** raw public root key, base64: what agents pin */
  get rootKey(): string {
    return this.#saved.rootKey;
  }

  /** Signed by the root key. */
  get keyList(): SignedEnvelope {
    return this.#saved.list;
  }

  get list(): KeyList {
    return this.#list;
  }

  /** The list that the root is to sign; null where none waits. */
  get waiting(): SignedEnvelope['payload'] | null {
    return this.#saved.next;
  }

  /** The root's private key is here. */
  get rootHeld(): boolean {
    return this.#root !== null;
  }

  /** The private part is here. */
  holds(keyid: string): boolean {
    return this.#held.has(keyid);
  }

  /** With which version of the list a key joined it. */
  joined(keyid: string): number {
    return this.#saved.joined[keyid] ?? 0;
  }

  canSign(role: WorkingRole): boolean {
    return this.#signers(role).length > 0;
  }

  /** Signed by each of the role's keys that is here, the newest first. Throws `conflict` where the key is offline. */
  sign(role: WorkingRole, payloadType: string, payload: Uint8Array): SignedEnvelope {
    const signers = this.#signers(role);
    if (signers.length === 0) {
      throw new PicketError(
        'conflict',
        `the ${role} key is kept elsewhere: see \`picket-central keys request --help\`.`,
      );
    }
    return sign(payloadType, payload, ...signers);
  }

  /** Reads all files again: they may have been changed from outside. */
  reload(): Promise<void> {
    return this.#inOrder(() => this.#load());
  }

  /**
   * A new key for a role: it joins the list, or takes the place of all before it (`now`). Where a key is joining already,
   * `now` ends that. Throws `conflict`.
   */
  rotate(role: WorkingRole, { publicKey, now = false, notAfterMs }: Rotation = {}): Promise<void> {
    return this.#inOrder(async () => {
      const base = this.#nextList();
      const before = base.keys.filter((key) => key.role === role);
      if (before.length > 1) {
        if (now && publicKey === undefined) {
          await this.#adopt(base.keys.filter((key) => key.role !== role || key === before.at(-1)));
          return;
        }
        throw new PicketError(
          'conflict',
          `a ${role} key is joining already; \`--now\` ends that and drops the one before.`,
        );
      }
      const made = publicKey === undefined ? await generateKey() : null;
      const text = made?.publicKey ?? publicKey!;
      const entry: PublicKeyEntry = {
        keyid: keyIdOf(text),
        role,
        publicKey: text,
        ...(notAfterMs === undefined ? {} : { notAfterMs }),
      };
      if (base.keys.some(({ keyid }) => keyid === entry.keyid)) {
        throw new PicketError('conflict', `key ${entry.keyid} is in the list already.`);
      }
      if (made === null && !mayBeOffline.includes(role)) {
        throw new PicketError(
          'conflict',
          `the central needs its ${role} key while it runs: it cannot be kept elsewhere.`,
        );
      }
      if (made !== null) {
        await saveKey(keyFile(this.#directory, role, 'next'), made);
        this.#held = new Map([...this.#held, [made.keyid, made]]);
      }
      await this.#adopt([...base.keys.filter((key) => !(now && key.role === role)), entry]);
    });
  }

  /** Drops the keys that were replaced, of which nobody has need any more. True: the list is another. */
  settle(everybodyHas: number): Promise<boolean> {
    return this.#inOrder(async () => {
      if (this.#saved.next !== null) return false;
      const newest = new Map(this.#list.keys.map((key) => [key.role, key]));
      const kept = this.#list.keys.filter((key) => {
        const successor = newest.get(key.role)!;
        return key === successor || this.joined(successor.keyid) > everybodyHas;
      });
      if (kept.length === this.#list.keys.length) return false;
      await this.#adopt(kept);
      return true;
    });
  }

  /**
   * A genuine list that an agent goes by and that is not older than ours: this central was restored. Goes on above it,
   * without the keys that it no longer has. True: the list is another, or waits for the root.
   */
  goAbove(envelope: SignedEnvelope): Promise<boolean> {
    return this.#inOrder(async () => {
      const shown = verifyKeyList(this.rootKey, envelope, 0);
      const ours = this.#nextList();
      if (shown.version < ours.version || envelope.payload === this.keyList.payload) return false;
      const keys: PublicKeyEntry[] = [];
      for (const role of workingRoles) {
        const last = this.#list.keys.findLast((key) => key.role === role);
        const theirs = shown.keys.findLast((key) => key.role === role);
        if (last !== undefined && shown.keys.some(({ keyid }) => keyid === last.keyid)) keys.push(last);
        else if (theirs !== undefined && this.#saved.offline.includes(role)) keys.push(theirs);
        else keys.push(await this.#make(role));
      }
      await this.#adopt(keys, shown.version);
      return true;
    });
  }

  /** Takes in a list that was signed elsewhere. True: it is new; false: it was here. Throws `conflict` for any other. */
  take(envelope: SignedEnvelope): Promise<boolean> {
    return this.#inOrder(async () => {
      const list = newerKeyList(this.rootKey, envelope, this.keyList);
      if (envelope.payload === this.keyList.payload) return false;
      if (envelope.payload !== this.#saved.next) {
        throw new PicketError(
          'conflict',
          `key list ${list.version} is not the one that waits for the root's signature.`,
        );
      }
      await this.#inForce({ ...this.#saved, list: envelope, next: null }, list);
      return true;
    });
  }

  /** The role's private key was moved away. */
  setOffline(role: KeyRole): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#nextList().keys.filter((key) => key.role === role).length > 1) {
        throw new PicketError(
          'conflict',
          `a ${role} key is joining: it can be moved away when the one before is dropped.`,
        );
      }
      for (const place of places) await rm(keyFile(this.#directory, role, place), { force: true });
      const offline = [...new Set([...this.#saved.offline, role])];
      if (role !== 'root') await this.#save({ ...this.#saved, offline });
      await this.#load();
    });
  }

  #signers(role: WorkingRole): readonly SigningKey[] {
    const listed = this.#list.keys.filter((key) => key.role === role).toReversed();
    // What the newest key cannot sign is not signed by the one that it replaces.
    if (listed[0] === undefined || !this.#held.has(listed[0].keyid)) return [];
    return listed.map(({ keyid }) => this.#held.get(keyid)).filter((key) => key !== undefined);
  }

  /** The list to begin from: the one that waits, or the one in force. */
  #nextList(): KeyList {
    const { next } = this.#saved;
    return next === null ? this.#list : parseKeyList(Buffer.from(next, 'base64'));
  }

  async #make(role: WorkingRole): Promise<PublicKeyEntry> {
    const made = await generateKey();
    await saveKey(keyFile(this.#directory, role, 'next'), made);
    this.#held = new Map([...this.#held, [made.keyid, made]]);
    return { keyid: made.keyid, role, publicKey: made.publicKey };
  }

  /** Makes a list of these keys: in force at once where the root is here, else it waits. */
  async #adopt(keys: readonly PublicKeyEntry[], above = 0): Promise<void> {
    const version = Math.max(this.#list.version, above) + 1;
    const list: KeyList = { version, madeMs: Math.round(this.#nowMs()), keys };
    const known = new Set(this.#list.keys.map(({ keyid }) => keyid));
    const fresh = keys.filter(({ keyid }) => !known.has(keyid)).map(({ keyid }) => [keyid, version] as const);
    const listed = new Set(keys.map(({ keyid }) => keyid));
    const joined = Object.entries(this.#saved.joined).filter(([keyid]) => listed.has(keyid));
    const saved = { ...this.#saved, joined: Object.fromEntries([...joined, ...fresh]) };
    const payload = encodeJson(list);
    if (this.#root === null) {
      await this.#save({ ...saved, next: Buffer.from(payload).toString('base64') });
      return;
    }
    await this.#inForce({ ...saved, list: sign(payloadTypes.keys, payload, this.#root), next: null }, list);
  }

  async #inForce(saved: Saved, list: KeyList): Promise<void> {
    const offline = workingRoles.filter((role) => {
      const newest = list.keys.findLast((key) => key.role === role);
      return newest !== undefined && !this.#held.has(newest.keyid);
    });
    const needed = offline.find((role) => !mayBeOffline.includes(role));
    if (needed !== undefined)
      throw new PicketError('conflict', `the private ${needed} key of the new list is not here.`);
    await this.#save({ ...saved, offline });
    this.#list = list;
    await this.#place();
  }

  /** Files where they belong; those of keys that are listed nowhere are deleted. */
  async #place(): Promise<void> {
    const next = this.#nextList();
    const held = new Map<string, HeldKey>();
    for (const role of workingRoles) {
      const of = (list: KeyList) => list.keys.filter((key) => key.role === role).map(({ keyid }) => keyid);
      const now = of(this.#list).toReversed();
      const coming = of(next).find((keyid) => !now.includes(keyid));
      const get = (keyid: string | undefined) => (keyid === undefined ? undefined : this.#held.get(keyid));
      const wanted = { current: get(now[0]), old: get(now[1]), next: get(coming) };
      const there = Object.entries(wanted).filter(([, key]) => key !== undefined);
      await placeKeys(this.#directory, role, Object.fromEntries(there));
      for (const [, key] of there) held.set(key!.keyid, key!);
    }
    this.#held = held;
  }

  async #save(saved: Saved): Promise<void> {
    await writeDurably(join(this.#directory, 'keys.json'), encodeJson(saved));
    this.#saved = saved;
  }

  async #load(): Promise<void> {
    const file = join(this.#directory, 'keys.json');
    const text = await readIfThere(file);
    if (text === null) {
      await this.#first();
      return;
    }
    const saved = readSaved(text, file);
    const list = verifyKeyList(saved.rootKey, saved.list, 0);
    const held = new Map<string, HeldKey>();
    for (const role of workingRoles) {
      for (const place of places) {
        const key = await loadKey(keyFile(this.#directory, role, place));
        if (key !== null) held.set(key.keyid, key);
      }
      const current = list.keys.findLast((key) => key.role === role);
      if (current === undefined || held.has(current.keyid) || saved.offline.includes(role)) continue;
      const own = keyFile(this.#directory, role);
      throw (await readIfThere(own)) === null
        ? new PicketError('config.unreadable', `${own} is missing, and keys.json says that it exists`)
        : new PicketError('config.invalid', `${own} is not the key that keys.json lists`);
    }
    const root = await loadKey(keyFile(this.#directory, 'root'));
    if (root !== null && root.publicKey !== saved.rootKey) {
      throw new PicketError(
        'config.invalid',
        `${keyFile(this.#directory, 'root')} is not the root that keys.json names`,
      );
    }
    this.#saved = saved;
    this.#list = list;
    this.#held = held;
    this.#root = root;
    // Of a central that came before this role.
    const lacking = workingRoles.filter((role) => !this.#nextList().keys.some((key) => key.role === role));
    if (lacking.length === 0) return;
    const made = await Promise.all(lacking.map((role) => this.#make(role)));
    await this.#adopt([...this.#nextList().keys, ...made]);
  }

  /** Makes what is missing of the key files (a first start may have been cut short) and the list. */
  async #first(): Promise<void> {
    const loadOrMake = async (role: KeyRole): Promise<HeldKey> => {
      const file = keyFile(this.#directory, role);
      const known = await loadKey(file);
      if (known !== null) return known;
      const made = await generateKey();
      await saveKey(file, made);
      return made;
    };
    const root = await loadOrMake('root');
    const held: HeldKey[] = [];
    for (const role of workingRoles) held.push(await loadOrMake(role));
    const keys = held.map(({ keyid, publicKey }, i) => ({ keyid, role: workingRoles[i]!, publicKey }));
    const list: KeyList = { version: 1, madeMs: Math.round(this.#nowMs()), keys };
    const envelope = sign(payloadTypes.keys, encodeJson(list), root);
    await this.#save({ rootKey: root.publicKey, list: envelope, next: null, offline: [], joined: {} });
    this.#list = list;
    this.#root = root;
    this.#held = new Map(held.map((key) => [key.keyid, key]));
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#chain.then(work);
    this.#chain = done.catch(() => {});
    return done;
  }
}
