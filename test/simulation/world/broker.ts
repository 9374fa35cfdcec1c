/**
 * A broker between machines and central: it acknowledges whatever it takes, and loses, doubles, delays, reorders and
 * damages it as its mood says. A client that connects with an identity ends the connection of the one before.
 */
import { limits } from '../../../shared/limits.ts';
import { packPayload, unpackPayload } from '../../../shared/transport/compress.ts';
import { decodeEnvelope, encodeEnvelope } from '../../../shared/wire/envelope.ts';
import type { Simulated } from '../simulated.ts';
import type { Trace } from './trace.ts';

export interface BrokerMood {
  /** Shares of messages, 0…1. */
  lost: number;
  doubled: number;
  /** A byte of a record's frame is another. TCP and TLS look after the rest of a message. */
  damaged: number;
  /** Messages are delayed by up to this, each by another time. */
  delayMs: number;
  /** Share of publishes that are never answered. */
  unanswered: number;
  /** Connections stand, and nothing passes. */
  silent: boolean;
}

export const goodBroker: BrokerMood = { lost: 0, doubled: 0, damaged: 0, delayMs: 5, unanswered: 0, silent: false };

export interface Client {
  readonly name: string;
  readonly agent: string;
  disconnected(): void;
  acknowledged(payload: Uint8Array): void;
}

export class SimBroker {
  readonly #world: Simulated;
  readonly #trace: Trace;
  mood: BrokerMood = { ...goodBroker };
  #up = true;
  /** What was on its way when it was killed arrives nowhere. */
  #life = 0;
  readonly #clients = new Map<string, Client>();
  toCentral: (agent: string, payload: Uint8Array) => void = () => {};

  constructor(world: Simulated, trace: Trace) {
    this.#world = world;
    this.#trace = trace;
  }

  connect(client: Client): boolean {
    if (!this.#up || this.mood.silent) return false;
    const before = this.#clients.get(client.agent);
    if (before === client) return true;
    this.#clients.set(client.agent, client);
    before?.disconnected();
    this.#trace.note(`${client.name} is connected`);
    return true;
  }

  disconnect(client: Client): void {
    if (this.#clients.get(client.agent) === client) this.#clients.delete(client.agent);
  }

  /** Killed with its state. */
  kill(): void {
    this.#trace.note('broker is killed');
    this.#up = false;
    this.#life++;
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    for (const client of clients) client.disconnected();
  }

  start(): void {
    this.#up = true;
  }

  /** Resolves with the broker's own word, which says nothing of what becomes of the message. */
  publish(client: Client, payload: Uint8Array): Promise<void> {
    if (!this.#up || this.#clients.get(client.agent) !== client) return Promise.reject(new Error('not connected'));
    const { agent } = client;
    const { damaged } = this.mood;
    const sent = this.#world.chance(damaged) ? this.#damagedCopy(payload) : payload;
    this.#pass(`${client.name} → central`, sent, (bytes) => this.toCentral(agent, bytes));
    const world = this.#world;
    if (this.mood.silent || world.chance(this.mood.unanswered)) return new Promise(() => {});
    return new Promise((resolve) => world.timers.after((world.next() * this.mood.delayMs) / 4, resolve));
  }

  /** To whoever is connected with this identity when it arrives. */
  toAgent(agent: string, payload: Uint8Array): void {
    if (this.#up) {
      this.#pass(`central → ${agent}`, payload, (bytes) => this.#clients.get(agent)?.acknowledged(bytes));
    }
  }

  #pass(way: string, payload: Uint8Array, deliver: (payload: Uint8Array) => void): void {
    const world = this.#world;
    const { lost, doubled, delayMs, silent } = this.mood;
    const life = this.#life;
    const copies = silent || world.chance(lost) ? 0 : world.chance(doubled) ? 2 : 1;
    this.#trace.note(`${way}: ${payload.length} bytes, ${copies} times`, payload);
    for (let i = 0; i < copies; i++) {
      world.timers.after(world.next() * delayMs, () => {
        if (this.#up && life === this.#life) deliver(payload);
      });
    }
  }

  #damagedCopy(payload: Uint8Array): Uint8Array {
    const world = this.#world;
    const envelope = decodeEnvelope(unpackPayload(payload, limits.inflatedBytes));
    const frames = envelope.frames.map((frame) => frame.slice());
    const frame = frames[world.integer(frames.length)];
    if (frame === undefined) return payload;
    const at = world.integer(frame.length);
    frame[at] = frame[at]! ^ (1 << world.integer(8));
    return packPayload(encodeEnvelope({ ...envelope, frames }));
  }
}
