/**
 * Takes envelopes in: check, decode, commit, and only then acknowledge. One envelope of an agent after the other, so
 * that acknowledgements keep the order; a bounded number waits, and what is over that is sent again by its agent.
 */
import { messageOf, PicketError } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { unpackPayload } from '../shared/transport/compress.ts';
import { type Ack, decodeEnvelope, type Envelope, encodeAck, settledFields } from '../shared/wire/envelope.ts';
import { intersect, type SeqRanges, unite } from '../shared/wire/ranges.ts';
import type { BootOffsets } from './dating.ts';
import { decodeIncoming } from './decode.ts';
import type { CommitResult, IncomingRecord, Store } from './store/store.ts';

const WAITING_PER_AGENT = 16;
/** Ranges in an acknowledgement to an agent that knows the others. */
const FEW_RANGES = 16;

export interface IngestOptions {
  readonly store: Store;
  readonly offsets: BootOffsets;
  /** Drawn at this start, 32 hex digits. */
  readonly incarnation: string;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Whether this agent may send (enrolled, not retired). */
  readonly knows: (agent: string) => boolean;
  readonly sendAck: (agent: string, payload: Uint8Array) => Promise<void>;
  /** What was committed, for pages and models. Called after the acknowledgement was handed over. */
  readonly committed: (envelope: Envelope, records: readonly IncomingRecord[], result: CommitResult) => void;
}

export class Ingest {
  readonly #options: IngestOptions;
  /** Whether the last commit failed: that is said once, and once when it is over. */
  #failing = false;
  readonly #queues = new Map<string, { waiting: number; tail: Promise<void> }>();
  readonly counts = {
    envelopes: 0,
    bytes: 0,
    records: 0,
    duplicates: 0,
    corruptFrames: 0,
    poison: 0,
    conflicts: 0,
    refusedEnvelopes: 0,
    droppedEnvelopes: 0,
    failedCommits: 0,
  };

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  /** A payload of up/records of this agent. Resolves when it was dealt with; never rejects. */
  receive(agent: string, payload: Uint8Array): Promise<void> {
    return this.#inTurn(agent, payload, this.#options.sendAck) ?? Promise.resolve();
  }

  /**
   * The same for an envelope that came by hand: resolves with its acknowledgement. Rejects with why it was not taken;
   * `conflict` where too many of this agent's wait.
   */
  async answer(agent: string, payload: Uint8Array): Promise<Uint8Array> {
    let answer: Uint8Array | null = null;
    let problem: unknown = null;
    const done = this.#inTurn(
      agent,
      payload,
      async (_agent, ack) => {
        answer = ack;
      },
      (error) => {
        problem = error;
      },
    );
    if (done === null) throw new PicketError('conflict', `Too many envelopes of ${agent} wait; try again.`);
    await done;
    if (answer === null) throw problem;
    return answer;
  }

  /** Null where too many wait. */
  #inTurn(
    agent: string,
    payload: Uint8Array,
    sendAck: IngestOptions['sendAck'],
    failed: (error: unknown) => void = () => {},
  ): Promise<void> | null {
    const receivedMs = this.#options.nowMs();
    const queue = this.#queues.get(agent) ?? { waiting: 0, tail: Promise.resolve() };
    if (queue.waiting >= WAITING_PER_AGENT) {
      this.counts.droppedEnvelopes++;
      return null;
    }
    this.#queues.set(agent, queue);
    queue.waiting++;
    queue.tail = queue.tail.then(async () => {
      try {
        await this.#take(agent, payload, receivedMs, sendAck);
      } catch (error) {
        this.#failed(agent, error);
        failed(error);
      } finally {
        queue.waiting--;
        if (queue.waiting === 0) this.#queues.delete(agent);
      }
    });
    return queue.tail;
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.#queues.size > 0) await Promise.all([...this.#queues.values()].map(({ tail }) => tail));
  }

  async #take(
    agent: string,
    payload: Uint8Array,
    receivedMs: number,
    sendAck: IngestOptions['sendAck'],
  ): Promise<void> {
    const { store, offsets, incarnation } = this.#options;
    if (!this.#options.knows(agent)) throw new PicketError('agent.unknown', `agent ${agent} is not enrolled`);
    const envelope = decodeEnvelope(unpackPayload(payload, limits.inflatedBytes));
    if (envelope.agent !== agent) {
      throw new PicketError('payload.invalid', `Envelope.agent: says ${envelope.agent} on the topic of ${agent}`);
    }
    this.counts.envelopes++;
    this.counts.bytes += payload.length;
    await offsets.load(agent);
    // An envelope on the line bounds its boot's offset. Backlog may have waited on its way: it does until live is heard.
    const onLine = sendAck === this.#options.sendAck;
    const first = offsets.offsetMs(agent, envelope.bootId) === null;
    if (onLine && (envelope.live || first)) offsets.heard(agent, envelope.bootId, envelope.sentMonotonicMs, receivedMs);
    const records = this.#decode(agent, envelope, receivedMs);
    const boots = offsets.changed(agent);
    const result = await store.commit({
      agent,
      epoch: envelope.epoch,
      bootId: envelope.bootId,
      receivedMs,
      highestSeq: envelope.highestSeq,
      held: envelope.held,
      records,
      boots,
      sizeBytes: payload.length,
    });
    offsets.saved(agent, boots);
    if (this.#failing) this.#options.log.warn({}, 'commits work again; what waited at the agents comes in');
    this.#failing = false;
    this.counts.records += result.stored;
    this.counts.duplicates += result.duplicates;
    this.counts.conflicts += result.conflicts.length;
    const full = envelope.incarnation !== incarnation;
    const seqs = records.map(({ seq }) => seq);
    const ack: Ack = {
      incarnation,
      epoch: envelope.epoch,
      n: envelope.n,
      sentMonotonicMs: envelope.sentMonotonicMs,
      centralMs: this.#options.nowMs(),
      ...settledFields(toTell(result.settled, seqs, full ? limits.rangesPerMessage : FEW_RANGES)),
      full,
      need: result.needTables.slice(0, limits.needsPerAck),
      renewEpoch: result.conflicts.length > 0,
    };
    // Not waited for: a broker that takes its time, or is gone, must not hold up the next commit nor the end.
    sendAck(agent, encodeAck(ack)).catch((error: unknown) => {
      this.#options.log.debug(
        { agent, problem: messageOf(error) },
        'acknowledgement could not be sent; the agent asks again',
      );
    });
    try {
      this.#options.committed(envelope, records, result);
    } catch (error) {
      this.#options.log.error({ agent, problem: messageOf(error), err: error }, 'what follows a commit failed');
    }
  }

  #decode(agent: string, envelope: Envelope, receivedMs: number): IncomingRecord[] {
    const records: IncomingRecord[] = [];
    for (const frame of envelope.frames) {
      try {
        const record = decodeIncoming(agent, envelope.epoch, frame, this.#options.offsets, receivedMs);
        if (record.content.kind === 'poison') {
          this.counts.poison++;
          const { reason } = record.content;
          this.#options.log.warn({ agent, epoch: envelope.epoch, seq: record.seq, reason }, 'record set aside');
        }
        records.push(record);
      } catch (error) {
        // Not acknowledged: the agent sends it again, and sets it aside when it is damaged on its disk.
        this.counts.corruptFrames++;
        this.#options.log.warn({ agent, epoch: envelope.epoch, problem: messageOf(error) }, 'damaged frame');
      }
    }
    return records;
  }

  #failed(agent: string, error: unknown): void {
    const code = error instanceof PicketError ? error.code : 'internal';
    if (code === 'payload.invalid' || code === 'payload.too_large' || code === 'agent.unknown') {
      this.counts.refusedEnvelopes++;
      this.#options.log.warn({ agent, problem: messageOf(error) }, 'envelope refused');
      return;
    }
    this.counts.failedCommits++;
    // Every agent tries again and again: the first failure says it, the others would only hide what else there is.
    const level = this.#failing ? 'debug' : 'error';
    this.#failing = true;
    this.#options.log[level](
      { agent, problem: messageOf(error), err: error },
      'commit failed; nothing is acknowledged, agents keep what they have',
    );
  }
}

/**
 * What an acknowledgement says is settled: all of it, or where those are more than `most` ranges the lowest ones and
 * those that this envelope's records lie in. What is left out is told when it is sent again.
 */
function toTell(settled: SeqRanges, seqs: readonly number[], most: number): SeqRanges {
  if (settled.length <= most) return settled;
  const asked = [...new Set(seqs)].sort((a, b) => a - b).map((seq) => [seq, seq] as const);
  const answer = intersect(settled, asked);
  return unite(settled.slice(0, Math.max(1, most - answer.length)), answer).slice(0, limits.rangesPerMessage);
}
