/**
 * What the notifier keeps: threads, the state of each target, what was sent. In memory, and as documents of the store;
 * what is decided is written before it counts.
 *
 *     alert-thread   KEY              → Thread
 *     alert-target   NAME             → TargetState
 *     alert-log      TIME-NUMBER      → LogEntry, the newest 500
 *     alert-habit    AGENT            → { habit, byHand }
 *     alert-central  listening        → { aliveMs, deaf }
 */
import type { Documents } from '../store/store.ts';
import type { LogEntry, TargetState } from './api.ts';
import type { Habit } from './habit.ts';
import type { Deaf } from './listening.ts';
import type { Thread } from './thread.ts';

const THREADS = 'alert-thread';
const TARGETS = 'alert-target';
const LOG = 'alert-log';
const HABITS = 'alert-habit';
const CENTRAL = 'alert-central';
const LOG_ENTRIES = 500;

export interface Contacted {
  readonly habit: Habit;
  readonly byHand: boolean;
}

interface Listening {
  readonly aliveMs: number;
  readonly deaf: Deaf;
}

type Put = { readonly namespace: string; readonly key: string; readonly value: unknown };

export class AlertBook {
  readonly threads = new Map<string, Thread>();
  readonly targets = new Map<string, TargetState>();
  readonly contacts = new Map<string, Contacted>();
  /** The newest last. */
  readonly log: LogEntry[] = [];
  listening: Listening | null = null;
  readonly #documents: Documents;
  readonly #logKeys: string[] = [];
  /** In memory and not yet written, as a write failed: by namespace and key. */
  readonly #owed = new Map<string, Put>();
  #number = 0;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  async load(): Promise<void> {
    for (const { key, value } of await this.#documents.list<Thread>(THREADS)) this.threads.set(key, value);
    for (const { key, value } of await this.#documents.list<TargetState>(TARGETS)) this.targets.set(key, value);
    for (const { key, value } of await this.#documents.list<Contacted>(HABITS)) this.contacts.set(key, value);
    for (const { key, value } of await this.#documents.list<LogEntry>(LOG)) {
      this.#logKeys.push(key);
      this.log.push(value);
    }
    this.listening = await this.#documents.get<Listening>(CENTRAL, 'listening');
  }

  /** Changed threads together with what they were made of, in one write; they count when it is durable. */
  async decide(changed: readonly Thread[], consumed: readonly Put[] = []): Promise<void> {
    await this.#documents.putAll([...changed.map(putThread), ...consumed]);
    for (const thread of changed) {
      this.threads.set(thread.key, thread);
      this.#owed.delete(`${THREADS} ${thread.key}`);
    }
  }

  async forget(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await this.#documents.putAll(keys.map((key) => ({ namespace: THREADS, key, value: null })));
    for (const key of keys) {
      this.threads.delete(key);
      this.#owed.delete(`${THREADS} ${key}`);
    }
  }

  /** What has happened already: it counts at once, and is written as soon as that can be done. */
  async note(change: {
    readonly threads?: readonly Thread[];
    readonly target?: readonly [string, TargetState];
    readonly log?: LogEntry;
    readonly contacts?: readonly (readonly [string, Contacted])[];
    readonly listening?: Listening;
  }): Promise<void> {
    const puts: Put[] = [];
    for (const thread of change.threads ?? []) {
      this.threads.set(thread.key, thread);
      puts.push(putThread(thread));
    }
    if (change.target !== undefined) {
      this.targets.set(...change.target);
      puts.push({ namespace: TARGETS, key: change.target[0], value: change.target[1] });
    }
    for (const [agent, value] of change.contacts ?? []) {
      this.contacts.set(agent, value);
      puts.push({ namespace: HABITS, key: agent, value });
    }
    if (change.listening !== undefined) {
      this.listening = change.listening;
      puts.push({ namespace: CENTRAL, key: 'listening', value: change.listening });
    }
    if (change.log !== undefined) puts.push(...this.#logged(change.log));
    for (const put of puts) this.#owed.set(`${put.namespace} ${put.key}`, put);
    await this.settle();
  }

  /** Writes what is owed. */
  async settle(): Promise<void> {
    const owed = [...this.#owed];
    if (owed.length === 0) return;
    await this.#documents.putAll(owed.map(([, put]) => put));
    for (const [name, put] of owed) if (this.#owed.get(name) === put) this.#owed.delete(name);
  }

  #logged(entry: LogEntry): Put[] {
    const key = `${String(Math.floor(entry.atMs)).padStart(15, '0')}-${String(this.#number++).padStart(9, '0')}`;
    this.log.push(entry);
    this.#logKeys.push(key);
    const puts: Put[] = [{ namespace: LOG, key, value: entry }];
    while (this.log.length > LOG_ENTRIES) {
      this.log.shift();
      puts.push({ namespace: LOG, key: this.#logKeys.shift()!, value: null });
    }
    return puts;
  }
}

function putThread(thread: Thread): Put {
  return { namespace: THREADS, key: thread.key, value: thread };
}

export function newTargetState(sinceMs: number): TargetState {
  return {
    sinceMs,
    lastSuccessMs: null,
    lastErrorMs: null,
    lastError: null,
    failures: 0,
    sent: 0,
    failed: 0,
    dropped: 0,
    untoldDrops: 0,
  };
}
