/**
 * What an export brings: everything that is durable and not settled, in the order of the lanes, as the envelopes that
 * the publisher would send. What does not fit is left for the next export, and the end says so.
 *
 *     about ─ reported ─ an envelope without records for each epoch ─ tables asked for
 *           ─ control ─ incidents ─ tables ─ rollups ─ detail ─ end
 *
 * The envelopes without records tell what is held, so that the reply answers for every epoch: an incarnation that is
 * adopted from it need not see again what it has.
 */
import type { Clock } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import { EXCHANGE_OVERHEAD_BYTES, type ExchangeMessage } from '../../shared/trust/exchange.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import type { SeqRanges } from '../../shared/wire/ranges.ts';
import { beginning, type Cursor, type Entry, isAfter, type Outbox } from '../outbox/outbox.ts';
import { classOrder, ENVELOPE_BYTES, envelopePayload } from '../publish/payload.ts';

/** Epochs that an export speaks of beside those of its records; a crash loop may have made thousands. */
const EPOCHS = 1024;
/** Kept free for the end. */
const END_BYTES = 1024;

export interface OutgoingOptions {
  readonly agent: string;
  readonly bootId: string;
  readonly version: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  /** Of the central that is believed in. */
  readonly incarnation: string | null;
  readonly series: string;
  readonly number: number;
  /** Message of up/reported; null where nothing is known. */
  readonly reported: Uint8Array | null;
  /** Tables to bring though they were acknowledged. */
  readonly need: readonly string[];
  /** Bytes of all messages with what each takes in the file. */
  readonly roomBytes: number;
}

export interface ExportTotals {
  /** Nothing was left out for want of room. */
  readonly complete: boolean;
  readonly envelopes: number;
  readonly records: number;
}

/** The messages of one export. Reads the outbox as it goes, so that little is in memory at a time. */
export async function* outgoing(options: OutgoingOptions): AsyncGenerator<ExchangeMessage> {
  const { agent, version, outbox, series, number, reported } = options;
  let roomBytes = options.roomBytes - END_BYTES;
  const totals = { complete: true, envelopes: 0, records: 0 };
  const fits = ({ bytes }: ExchangeMessage): boolean => {
    const sizeBytes = bytes.length + EXCHANGE_OVERHEAD_BYTES;
    if (sizeBytes > roomBytes) totals.complete = false;
    else roomBytes -= sizeBytes;
    return totals.complete;
  };
  // What becomes durable from here on belongs to the next one: an export comes to an end.
  const until = outbox.position();
  const envelopes = new Envelopes(options);

  const about: ExchangeMessage = { kind: 'about', bytes: encodeJson({ agent, version, series, number }) };
  if (fits(about)) yield about;
  if (reported !== null) {
    const message: ExchangeMessage = { kind: 'reported', bytes: reported };
    if (fits(message)) yield message;
  }
  for (const { epoch } of outbox.epochs().slice(-EPOCHS)) {
    const message = envelopes.of(epoch, []);
    if (!fits(message)) break;
    yield message;
  }
  for (const hash of options.need) {
    const entry = await outbox.table(hash);
    if (entry === null) continue;
    const message = envelopes.of(entry.epoch, [entry]);
    if (!fits(message)) break;
    yield message;
    count(1);
  }
  for (const recordClass of classOrder) {
    let after: Cursor = beginning;
    while (totals.complete) {
      const batch = oneEnvelope(await outbox.peek(recordClass, after, ENVELOPE_BYTES), until);
      if (batch.length === 0) break;
      const message = envelopes.of(batch[0]!.epoch, batch);
      if (!fits(message)) break;
      yield message;
      count(batch.length);
      after = batch.at(-1)!.cursor;
    }
  }
  yield { kind: 'end', bytes: encodeJson(totals satisfies ExportTotals) };

  function count(records: number): void {
    totals.envelopes++;
    totals.records += records;
  }
}

/** The first of these that belong into one envelope: one epoch, bounded, none that came after the export began. */
function oneEnvelope(entries: readonly Entry[], until: Cursor): readonly Entry[] {
  const batch: Entry[] = [];
  let sizeBytes = 0;
  for (const entry of entries) {
    sizeBytes += entry.frame.length + 8;
    const full = batch.length > 0 && (sizeBytes > ENVELOPE_BYTES || batch.length >= limits.recordsPerEnvelope);
    if (full || isAfter(entry.cursor, until) || entry.epoch !== (batch[0] ?? entry).epoch) break;
    batch.push(entry);
  }
  return batch;
}

class Envelopes {
  readonly #options: OutgoingOptions;
  /** Rises as the publisher's do; their answers come in the reply and never over the connection, nor theirs in it. */
  #n: number;

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#n = Math.floor(options.clock.monotonicMs() * 1000);
  }

  of(epoch: string, batch: readonly Entry[]): ExchangeMessage {
    const { agent, bootId, outbox, clock, incarnation } = this.#options;
    const state = outbox.epochs().find((known) => known.epoch === epoch);
    const held: SeqRanges = state?.held ?? [];
    const bytes = envelopePayload({
      agent,
      epoch,
      n: ++this.#n,
      incarnation,
      bootId,
      sentMonotonicMs: Math.round(clock.monotonicMs()),
      highestSeq: Math.max(state?.highestSeq ?? 0, batch.at(-1)?.seq ?? 0),
      held,
      frames: batch.map(({ frame }) => frame),
      // It says nothing of this boot's clock: nobody knows how long it is on its way.
      live: false,
    });
    return { kind: 'records', bytes };
  }
}
