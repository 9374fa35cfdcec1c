import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PicketError } from '../errors.ts';
import { limits } from '../limits.ts';
import {
  credentialOf,
  EXCHANGE_HEADER_BYTES,
  EXCHANGE_OVERHEAD_BYTES,
  type ExchangeEvent,
  type ExchangeHeader,
  type ExchangeMessage,
  ExchangeOpener,
  ExchangeSealer,
  exchangeKey,
  exchangeKinds,
  problemOf,
  readExchange,
  readExchangeHeader,
} from './exchange.ts';

const credential = credentialOf('a password');
const header: ExchangeHeader = {
  direction: 'up',
  agent: 'pump-7_x',
  series: 'ab'.repeat(16),
  number: 7,
  madeMs: 1_767_225_600_000,
  salt: '01'.repeat(32),
};
const about: ExchangeMessage = { kind: 'about', bytes: new TextEncoder().encode('{}') };
const end: ExchangeMessage = { kind: 'end', bytes: new TextEncoder().encode('{}') };

function sealed(messages: readonly ExchangeMessage[], of: ExchangeHeader = header): Uint8Array[] {
  const sealer = new ExchangeSealer(exchangeKey(credential, of), of);
  return [sealer.header, ...messages.map((message) => sealer.seal(message))];
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

async function* inSteps(file: Uint8Array, step: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += step) yield file.subarray(at, at + step);
}

/** What a reader is told of a file, in words. */
async function told(file: Uint8Array, step = 1000): Promise<string[]> {
  const out: string[] = [];
  const key = async (read: ExchangeHeader) => exchangeKey(credential, read);
  for await (const event of readExchange(inSteps(file, step), key)) {
    out.push(event.type === 'message' ? event.kind : problemOf(event)!);
  }
  return out;
}

interface Opened {
  readonly events: readonly ExchangeEvent[];
  readonly ended: boolean;
}

/** As a reader of a file does it, `step` bytes at a time; null where it is refused, by an error of ours. */
function opened(file: Uint8Array, step = 1000, secret = credential): Opened | null {
  try {
    const { header: read, sizeBytes } = readExchangeHeader(file.subarray(0, EXCHANGE_HEADER_BYTES));
    const opener = new ExchangeOpener(exchangeKey(secret, read), file.subarray(0, sizeBytes));
    const events: ExchangeEvent[] = [];
    for (let at = sizeBytes; at < file.length; at += step) {
      opener.push(file.subarray(at, at + step));
      for (let event = opener.next(); event !== null; event = opener.next()) events.push(event);
    }
    return { events, ended: opener.ended };
  } catch (error) {
    if (error instanceof PicketError) return null;
    throw error;
  }
}

function messagesOf(events: readonly ExchangeEvent[]): ExchangeMessage[] {
  return events.flatMap((event) => (event.type === 'message' ? [{ kind: event.kind, bytes: event.bytes }] : []));
}

const plain = (messages: readonly ExchangeMessage[]) =>
  messages.map(({ kind, bytes }) => `${kind} ${Buffer.from(bytes).toString('hex')}`);

const message = fc.record({
  kind: fc.constantFrom(...exchangeKinds.filter((kind) => kind !== 'end')),
  bytes: fc.uint8Array({ maxLength: 300 }),
});
const content = fc.array(message, { maxLength: 12 }).map((messages) => [about, ...messages, end]);

describe('what was sealed', () => {
  test('comes back, however its bytes come', () => {
    fc.assert(
      fc.property(content, fc.integer({ min: 1, max: 500 }), (messages, step) => {
        const { events, ended } = opened(joined(sealed(messages)), step)!;
        expect(plain(messagesOf(events))).toEqual(plain(messages));
        expect(ended).toBe(true);
      }),
    );
  });

  test('has the header that was written, and takes the bytes that are stated', () => {
    const [head, ...chunks] = sealed([about, { kind: 'records', bytes: new Uint8Array(limits.payloadBytes) }]);
    expect(readExchangeHeader(head!)).toEqual({ header, sizeBytes: head!.length });
    expect(chunks[1]!.length).toBe(limits.payloadBytes + EXCHANGE_OVERHEAD_BYTES);
  });

  test('shows nothing of what it says', () => {
    const secret = new TextEncoder().encode('boiler 3 is at 180 degrees');
    const file = Buffer.from(joined(sealed([about, { kind: 'records', bytes: secret }, end])));
    expect(file.includes(Buffer.from('boiler'))).toBe(false);
    expect(file.includes(Buffer.from(header.agent))).toBe(true);
  });

  test('is no larger than a message may be', () => {
    const large: ExchangeMessage = { kind: 'records', bytes: new Uint8Array(limits.payloadBytes + 1) };
    expect(() => sealed([about, large])).toThrow(expect.objectContaining({ code: 'payload.too_large' }));
  });
});

describe('what was damaged on the way', () => {
  test('cut anywhere, it gives the whole chunks before the cut and says that it has no end', () => {
    fc.assert(
      fc.property(content, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (messages, share) => {
        const parts = sealed(messages);
        const file = joined(parts);
        const cut = Math.floor(file.length * share);
        let whole = 0;
        for (let i = 0, at = 0; i < parts.length; i++) {
          at += parts[i]!.length;
          if (at <= cut) whole = i;
        }
        const read = opened(file.subarray(0, cut));
        if (cut < parts[0]!.length) {
          expect(read).toBeNull();
          return;
        }
        expect(plain(messagesOf(read!.events))).toEqual(plain(messages.slice(0, whole)));
        expect(read!.ended).toBe(false);
      }),
    );
  });

  test('any flipped byte is found: what is given out is what was put in, without the chunk that it lies in', () => {
    fc.assert(
      fc.property(content, fc.nat(), fc.integer({ min: 1, max: 255 }), (messages, place, mask) => {
        const parts = sealed(messages);
        const file = joined(parts);
        const at = place % file.length;
        file[at] = file[at]! ^ mask;
        const read = opened(file);
        if (at < parts[0]!.length + parts[1]!.length) {
          // Header or first chunk: nothing can be believed. A first chunk that says to be longer than the file is no chunk.
          expect(read === null || messagesOf(read.events).length === 0).toBe(true);
          return;
        }
        const all = plain(messages);
        const got = plain(messagesOf(read!.events));
        expect(got.length).toBeLessThan(all.length);
        let i = 0;
        for (const one of got) {
          while (i < all.length && all[i] !== one) i++;
          expect(i++).toBeLessThan(all.length);
        }
        const complained = read!.events.some(({ type }) => type !== 'message');
        expect(complained || !read!.ended).toBe(true);
      }),
    );
  });

  test('a damaged chunk is named, and those behind it are read', () => {
    const ack: ExchangeMessage = { kind: 'ack', bytes: Uint8Array.of(1) };
    const parts = sealed([about, ack, ack, ack, end]);
    parts[3]![10]! ^= 1;
    const { events, ended } = opened(joined(parts))!;
    expect(events[2]).toEqual({ type: 'damaged', index: 2 });
    expect(messagesOf(events).map(({ kind }) => kind)).toEqual(['about', 'ack', 'ack', 'end']);
    expect(ended).toBe(true);
  });

  test('chunks that were swapped, doubled or taken from another file do not open', () => {
    const acks = [1, 2, 3].map((value): ExchangeMessage => ({ kind: 'ack', bytes: Uint8Array.of(value) }));
    const [head, first, a, b, c, last] = sealed([about, ...acks, end]);
    const values = (parts: readonly (Uint8Array | undefined)[]): number[] =>
      messagesOf(opened(joined(parts as Uint8Array[]))!.events)
        .filter(({ kind }) => kind === 'ack')
        .map(({ bytes }) => bytes[0]!);
    expect(values([head, first, a, b, c, last])).toEqual([1, 2, 3]);
    expect(values([head, first, b, a, c, last])).toEqual([3]);
    expect(values([head, first, a, a, b, c, last])).toEqual([1]);
    const other = sealed([about, ...acks, end], { ...header, salt: '02'.repeat(32) });
    expect(values([head, first, other[2], b, c, last])).toEqual([2, 3]);
    expect(opened(joined([head!, ...other.slice(1)]))).toBeNull();
  });

  test('nothing that was not sealed with this agent’s credentials, for this direction and agent, is believed', () => {
    const file = joined(sealed([about, end]));
    expect(opened(file, 1000, credentialOf('another'))).toBeNull();
    for (const change of [{ direction: 'down' }, { agent: 'pump-8_x' }, { number: 8 }, { series: 'cd'.repeat(16) }]) {
      const [head] = sealed([], { ...header, ...(change as Partial<ExchangeHeader>) });
      expect(opened(joined([head!, ...sealed([about, end]).slice(1)]))).toBeNull();
    }
  });

  test('rubbish is refused or gives nothing, without a crash', () => {
    const [head] = sealed([]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), (rubbish, withHeader) => {
        const read = opened(withHeader ? joined([head!, rubbish]) : rubbish);
        expect(read === null || messagesOf(read.events).length === 0).toBe(true);
      }),
    );
  });
});

describe('a file as it is read', () => {
  const ack: ExchangeMessage = { kind: 'ack', bytes: Uint8Array.of(1) };
  const parts = sealed([about, ack, ack, end]);

  test('is told message by message, however it comes, and its end is not missed', async () => {
    for (const step of [1, 7, 80, 1000])
      expect(await told(joined(parts), step)).toEqual(['about', 'ack', 'ack', 'end']);
  });

  test('with what is wrong with it', async () => {
    expect(await told(joined(parts.slice(0, 3)))).toEqual(['about', 'ack', expect.stringContaining('2 whole chunks')]);
    expect(await told(joined(parts.slice(0, 1)))).toEqual([expect.stringContaining('0 whole chunks')]);
    const file = joined(parts);
    file[parts[0]!.length + parts[1]!.length + 2] = 255;
    expect(await told(file)).toEqual(['about', expect.stringContaining('from chunk 1 on')]);
    await expect(told(file.subarray(0, 20))).rejects.toMatchObject({ code: 'payload.invalid' });
    await expect(told(new Uint8Array(0))).rejects.toMatchObject({ code: 'payload.invalid' });
  });
});
