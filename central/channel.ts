/**
 * What agents say, by topic, to those whom it concerns. Nothing that a message holds can harm more than itself: each
 * is bounded, decoded field by field, and a bad one is logged with its agent and the reason.
 */
import { messageOf } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';

import type { ChunkRequest, Presence, Reported } from '../shared/trust/messages.ts';
import { parsePresence } from '../shared/trust/presence.ts';
import { parseChunkRequest, parseReported } from '../shared/trust/reported.ts';
import { type Chunk, encodeChunk } from '../shared/wire/live.ts';
import { parseUpTopic } from '../shared/wire/topics.ts';

/** The same complaint about the same agent is logged once in this time. */
const COMPLAINT_MS = 60_000;
const COMPLAINTS = 1_000;

export interface ChannelOptions {
  readonly prefix: string;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly records: (agent: string, payload: Uint8Array) => void;
  readonly presence: (agent: string, presence: Presence) => void;
  readonly reported: (agent: string, reported: Reported) => void;
  readonly live: (agent: string, payload: Uint8Array) => void;
  readonly chunk: (agent: string, sha256: string, index: number) => Promise<Chunk | null>;
  readonly sendChunk: (agent: string, payload: Uint8Array) => Promise<void>;
}

export class Channel {
  readonly #options: ChannelOptions;
  readonly #complained = new Map<string, number>();

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  receive(topic: string, payload: Uint8Array): void {
    const target = parseUpTopic(this.#options.prefix, topic);
    if (target === null) {
      this.#complain('', `topic ${topic.slice(0, 100)} is none of an agent`);
      return;
    }
    try {
      this.#route(target.agent, target.channel, payload);
    } catch (error) {
      this.#complain(target.agent, `up/${target.channel}: ${messageOf(error)}`);
    }
  }

  #route(agent: string, channel: string, payload: Uint8Array): void {
    const options = this.#options;
    switch (channel) {
      case 'records':
        options.records(agent, payload);
        return;
      case 'live':
        options.live(agent, payload);
        return;
      case 'presence':
        // An empty retained message is how MQTT deletes one (3.1.1, 3.3.1.3).
        if (payload.length > 0) options.presence(agent, parsePresence(payload));
        return;
      case 'reported':
        options.reported(agent, parseReported(payload));
        return;
      case 'get':
        void this.#answer(agent, parseChunkRequest(payload)).catch((error: unknown) => {
          this.#complain(agent, `up/get: ${messageOf(error)}`);
        });
    }
  }

  async #answer(agent: string, { sha256, index }: ChunkRequest): Promise<void> {
    const chunk = await this.#options.chunk(agent, sha256, index);
    if (chunk === null) this.#complain(agent, `up/get: ${sha256.slice(0, 12)}… is not in its manifest`);
    else await this.#options.sendChunk(agent, encodeChunk(chunk));
  }

  #complain(agent: string, problem: string): void {
    const key = `${agent} ${problem}`;
    const nowMs = this.#options.nowMs();
    if (nowMs - (this.#complained.get(key) ?? Number.NEGATIVE_INFINITY) < COMPLAINT_MS) return;
    if (this.#complained.size >= COMPLAINTS) this.#complained.clear();
    this.#complained.set(key, nowMs);
    this.#options.log.warn({ agent, problem }, 'message refused');
  }
}
