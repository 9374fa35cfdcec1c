/**
 * Flags: what speaks against one machine behind an agent's id, said once to people, with what to do. The store notes the
 * facts with each commit (`store/identity.ts`); here they become flags that are announced (audit trail, news), shown
 * until somebody dismisses them, and told again only when something new happened.
 */
import { messageOf, PicketError } from '../shared/errors.ts';
import { MINUTE_MS } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import type { AgentFlag, Audit, Bus } from './api.ts';
import type { AgentId, IdentityFinding, Store } from './store/store.ts';

const NAMESPACE = 'identity';
/** What may still turn out to be something else is looked at again this often. */
const LOOK_MS = MINUTE_MS;
/** Flags that are remembered of one agent as announced or dismissed. */
const REMEMBERED = 64;

interface Remembered {
  /** Ids of flags that were announced. */
  readonly announced: readonly string[];
  readonly dismissed: readonly string[];
  /** The identity was given to other hardware on purpose: one new disk is expected. */
  readonly handedOver: { readonly atMs: number; readonly epoch: string | null } | null;
}

const nothing: Remembered = { announced: [], dismissed: [], handedOver: null };

export interface IdentityOptions {
  readonly store: Pick<Store, 'documents' | 'identity'>;
  readonly audit: Audit;
  readonly bus: Bus;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Takes the open flags of an agent into its state. */
  readonly show: (agent: AgentId, flags: readonly AgentFlag[]) => void;
}

export class IdentityWatch {
  readonly #options: IdentityOptions;
  readonly #remembered = new Map<AgentId, Remembered>();
  /** Agents of which something was found. */
  readonly #found = new Set<AgentId>();
  /** Looks one after the other, so that nothing is announced twice. */
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: IdentityOptions) {
    this.#options = options;
  }

  /** Shows what is known of these agents, and goes on looking. */
  async start(agents: readonly AgentId[]): Promise<void> {
    for (const { key, value } of await this.#options.store.documents.list<Remembered>(NAMESPACE)) {
      this.#remembered.set(key, value);
    }
    for (const agent of agents) await this.look(agent);
    this.#timer = setInterval(() => {
      for (const agent of this.#found) void this.look(agent);
    }, LOOK_MS);
    this.#timer.unref();
  }

  /** Looks at one agent now. Never rejects. */
  look(agent: AgentId): Promise<void> {
    return this.#inTurn(() => this.#look(agent)).catch((error: unknown) => {
      this.#options.log.warn({ agent, problem: messageOf(error) }, 'its identity could not be looked at; tried again');
    });
  }

  /** Other hardware takes the identity over, as an operator wished. */
  handedOver(agent: AgentId): Promise<void> {
    return this.#inTurn(() =>
      this.#remember(agent, { handedOver: { atMs: this.#options.nowMs(), epoch: null } }),
    ).catch((error: unknown) => {
      this.#options.log.warn({ agent, problem: messageOf(error) }, 'its hand-over could not be noted');
    });
  }

  /** Throws `not_found` where there is no such flag. */
  async dismiss(agent: AgentId, id: string): Promise<void> {
    await this.#inTurn(async () => {
      const flags = await this.#flags(agent);
      if (!flags.some((flag) => flag.id === id)) {
        throw new PicketError('not_found', `${agent} has no flag ${id}, or it was dismissed.`);
      }
      const { dismissed } = this.#of(agent);
      await this.#remember(agent, { dismissed: [...dismissed, id].slice(-REMEMBERED) });
      await this.#look(agent);
    });
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#turn;
  }

  async #look(agent: AgentId): Promise<void> {
    const { audit, bus, log, show } = this.#options;
    const flags = await this.#flags(agent);
    show(agent, flags);
    const { announced } = this.#of(agent);
    const fresh = flags.filter(({ id }) => !announced.includes(id));
    if (fresh.length === 0) return;
    await this.#remember(agent, { announced: [...announced, ...fresh.map(({ id }) => id)].slice(-REMEMBERED) });
    for (const flag of fresh) {
      log.warn({ agent, flag: flag.id, epochs: flag.epochs.map(({ epoch }) => epoch) }, flag.text);
      bus.publish({ type: 'flag', agent, flag: flag.id });
      await audit.add({ actor: 'central', action: `identity.${flag.kind}`, target: agent, detail: flag.text });
    }
  }

  async #flags(agent: AgentId): Promise<AgentFlag[]> {
    const found = await this.#options.store.identity(agent);
    if (found.length === 0) this.#found.delete(agent);
    else this.#found.add(agent);
    const flags: AgentFlag[] = [];
    for (const finding of found) {
      if (await this.#isExpected(agent, finding)) continue;
      const flag = flagOf(finding);
      if (!this.#of(agent).dismissed.includes(flag.id)) flags.push(flag);
    }
    return flags;
  }

  /** A new disk after a hand-over is what was wished; the one after that is not. */
  async #isExpected(agent: AgentId, { kind, epochs, sinceMs }: IdentityFinding): Promise<boolean> {
    const { handedOver } = this.#of(agent);
    const newest = epochs.at(-1)?.epoch ?? null;
    if (kind !== 'replaced' || handedOver === null || sinceMs < handedOver.atMs) return false;
    if (handedOver.epoch !== null) return handedOver.epoch === newest;
    await this.#remember(agent, { handedOver: { ...handedOver, epoch: newest } });
    return true;
  }

  #of(agent: AgentId): Remembered {
    return this.#remembered.get(agent) ?? nothing;
  }

  async #remember(agent: AgentId, change: Partial<Remembered>): Promise<void> {
    const after = { ...this.#of(agent), ...change };
    await this.#options.store.documents.put(NAMESPACE, agent, after);
    this.#remembered.set(agent, after);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

const words: Readonly<Record<IdentityFinding['kind'], { readonly text: string; readonly advice: string }>> = {
  clone: {
    text: 'Two machines use this identity: both go on from the same disk, as after copying an SD card.',
    advice:
      'Enrol one of them anew: stop its agent, empty its data directory, and paste a new command of `picket-central enroll` there. Their records are kept apart by epoch; nothing was mixed.',
  },
  rolled_back: {
    text: 'The disk of this machine went back to an older state, as after restoring an image.',
    advice:
      'If that was on purpose, dismiss this. What was made after the image and not yet sent is lost; what was sent is kept.',
  },
  replaced: {
    text: 'This identity goes on with an empty disk: it was replaced or wiped.',
    advice:
      'If the hardware or its disk was exchanged on purpose, dismiss this; `picket-central replace` announces it beforehand. Else look why the data directory was lost. What the old disk had not sent is lost.',
  },
  conflict: {
    text: 'One record came with two contents under the same number.',
    advice:
      'The second was set aside with its bytes (see the ledger), and the agent began a new epoch. Look for a virtual machine that was resumed from a snapshot, a copied disk, or failing memory; then dismiss this.',
  },
};

function flagOf({ kind, epochs, parent, sinceMs }: IdentityFinding): AgentFlag {
  const youngest = epochs.at(-1)?.epoch ?? '';
  return { id: `${kind}-${youngest.slice(0, 16)}`, kind, sinceMs, parent, epochs, ...words[kind] };
}
