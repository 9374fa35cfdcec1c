/**
 * Sticks under one seed: exports, imports and replies of the real code, kept and carried in any order, any number of
 * times, cut and damaged, beside a connection that comes and goes, restarts of the agent, and a central that is
 * started again or emptied. At the end, with the stick alone, everything is stored once, byte for byte.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openDesk } from '../../agent/by-hand/desk.ts';
import { Exports } from '../../agent/by-hand/exports.ts';
import type { ImportResult } from '../../agent/by-hand/incoming.ts';
import { settleByHand } from '../../agent/by-hand/settle.ts';
import { Answers } from '../../central/exchange/answers.ts';
import { replyFile } from '../../central/exchange/reply.ts';
import { takeIn } from '../../central/exchange/take-in.ts';
import { PicketError } from '../../shared/errors.ts';
import {
  credentialOf,
  EXCHANGE_HEADER_BYTES,
  type ExchangeHeader,
  type ExchangeMessage,
  ExchangeSealer,
  exchangeKey,
  readExchange,
  readExchangeHeader,
} from '../../shared/trust/exchange.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { decodeAck, settledBy } from '../../shared/wire/envelope.ts';
import { contains, subtract } from '../../shared/wire/ranges.ts';
import { ChannelWorld, noFaults } from './channel-world.ts';

const MAKING_MS = 60_000;
const LONGEST_MS = 4 * 3_600_000;
const AGENT = 'm1';
const BOOT = 'b'.repeat(32);
const credential = credentialOf('a password');
const key = async (header: Pick<ExchangeHeader, 'salt' | 'direction' | 'agent'>) => exchangeKey(credential, header);

class StickWorld {
  readonly channel: ChannelWorld;
  /** Files that lie about somewhere. */
  readonly exports: Uint8Array[] = [];
  readonly replies: Uint8Array[] = [];
  book!: Exports;

  private constructor(channel: ChannelWorld) {
    this.channel = channel;
    channel.heard = (sentMs) => this.book.heard(sentMs);
  }

  static async open(seed: number): Promise<StickWorld> {
    const world = new StickWorld(await ChannelWorld.open(seed, noFaults));
    await world.readBook();
    return world;
  }

  async restartAgent(): Promise<void> {
    await this.channel.killAgent();
    await this.readBook();
  }

  async readBook(): Promise<void> {
    const { outbox, world } = this.channel;
    this.book = await Exports.open({ outbox, random: (bytes) => world.bytes(bytes), failed: () => {} });
  }

  desk() {
    const { outbox, publisher, world } = this.channel;
    const status = { manifestVersion: 0, applied: [], supports: [], refusals: [], commandsDone: [] };
    return openDesk({
      agent: AGENT,
      version: '0.0.0',
      bootId: BOOT,
      outbox,
      clock: world.clock,
      exports: this.book,
      believed: () => publisher.incarnation,
      reported: () => encodeJson({ agentVersion: '0.0.0', ...status, health: {}, warnings: [] }),
      apply: { desired: () => {}, lookAgain: () => {}, idle: async () => {}, status: () => status },
      store: { putBlob: async () => {} },
      heard: () => {},
      settle: async (acks, mayReplace) => {
        let taken = false;
        await publisher.aside(async (believed) => {
          const settled = await settleByHand(outbox, believed, acks, mayReplace);
          taken = settled.taken;
          return settled.incarnation;
        });
        return taken;
      },
    });
  }

  async export(roomBytes: number): Promise<Uint8Array> {
    let sealer: ExchangeSealer | null = null;
    const parts: Uint8Array[] = [];
    for await (const message of this.desk().export(roomBytes)) {
      if (sealer === null) {
        const { series, number } = JSON.parse(Buffer.from(message.bytes).toString()) as ExchangeHeader;
        const salt = this.channel.world.hex(32);
        const header: ExchangeHeader = { direction: 'up', agent: AGENT, series, number, madeMs: 0, salt };
        sealer = new ExchangeSealer(await key(header), header);
        parts.push(sealer.header);
      }
      parts.push(sealer.seal(message));
    }
    const file = new Uint8Array(Buffer.concat(parts));
    expect(file.length).toBeLessThanOrEqual(roomBytes + EXCHANGE_HEADER_BYTES);
    this.exports.push(file);
    return file;
  }

  /** At the central; null where the file is not to be believed, or the central ended meanwhile. */
  async take(file: Uint8Array): Promise<Uint8Array | null> {
    const { channel } = this;
    const answers = new Answers();
    const client = {
      key,
      records: async (agent: string, payload: Uint8Array) => {
        const { store } = channel;
        const bytes = await channel.ingest.answer(agent, payload);
        const ack = decodeAck(bytes);
        const early = subtract(settledBy(ack), await store.settled(agent, ack.epoch));
        if (early.length > 0) channel.problems.push(`${early} was acknowledged by hand and is not committed`);
        return bytes;
      },
      reported: async () => {},
      handover: async () => ({ manifest: null, releases: [] }),
      chunk: async () => new Uint8Array(0),
    };
    try {
      const { header } = readExchangeHeader(file.subarray(0, EXCHANGE_HEADER_BYTES));
      await takeIn(client, header, inParts(file), answers);
      const parts: Uint8Array[] = [];
      const options = {
        client,
        header,
        answers,
        applied: new Set<string>(),
        nowMs: Math.round(channel.world.clock.wallMs()),
      };
      for await (const part of replyFile(options)) parts.push(part);
      const reply = new Uint8Array(Buffer.concat(parts));
      this.replies.push(reply);
      return reply;
    } catch (error) {
      if (!(error instanceof PicketError)) channel.problems.push(`import: ${String(error)}`);
      return null;
    }
  }

  /** At the agent. */
  async answer(reply: Uint8Array): Promise<ImportResult | null> {
    async function* messages(): AsyncGenerator<ExchangeMessage> {
      for await (const event of readExchange(inParts(reply), key)) if (event.type === 'message') yield event;
    }
    const { publisher } = this.channel;
    const before = this.#age(publisher.incarnation);
    try {
      const result = await this.desk().import(messages());
      if (publisher === this.channel.publisher) await this.#checkBelief(before);
      return result;
    } catch (error) {
      if (!(error instanceof PicketError)) this.channel.problems.push(`import: ${String(error)}`);
      return null;
    }
  }

  /** An older central's word never replaces a newer one's, and what is believed of the one that is there is true of it. */
  async #checkBelief(before: number): Promise<void> {
    const { channel } = this;
    const believed = channel.publisher.incarnation;
    if (this.#age(believed) < before) channel.problems.push(`belief went back to ${believed}`);
    if (believed !== channel.incarnations.at(-1)) return;
    const { store } = channel;
    for (const { epoch, settled } of channel.outbox.epochs()) {
      const untrue = subtract(settled, await store.settled(AGENT, epoch));
      const same = store === channel.store && believed === channel.publisher.incarnation;
      if (same && untrue.length > 0) channel.problems.push(`${untrue} is believed to be settled and is not`);
    }
  }

  #age(incarnation: string | null): number {
    return incarnation === null ? -1 : this.channel.incarnations.indexOf(incarnation);
  }
}

async function* inParts(file: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += 5_000) yield file.subarray(at, at + 5_000);
}

interface Plan {
  readonly records: number;
  readonly exports: number;
  readonly connects: number;
  readonly agentKills: number;
  readonly centralRestarts: number;
  readonly centralEmptied: boolean;
}

async function run(seed: number, plan: Plan): Promise<StickWorld> {
  const sticks = await StickWorld.open(seed);
  const { channel } = sticks;
  const { world } = channel;
  const sometime = (what: () => unknown): unknown => world.timers.after(world.next() * MAKING_MS, () => void what());
  const any = (files: readonly Uint8Array[], use: (file: Uint8Array) => unknown): void => {
    const file = files[world.integer(files.length)];
    if (file === undefined) return;
    const copy = file.slice(0, world.chance(0.2) ? world.integer(file.length) : file.length);
    if (world.chance(0.2) && copy.length > 0) copy[world.integer(copy.length)]! ^= 1 + world.integer(255);
    void use(copy);
  };
  for (let i = 0; i < plan.records; i++) {
    sometime(() =>
      i % 4 === 0
        ? channel.appendWindow(`series ${i % 12}`, i % 8 === 0 || i < 12)
        : channel.appendDocument(i % 7 === 0 ? 'incident' : i % 5 === 0 ? 'rollup' : 'detail'),
    );
  }
  for (let i = 0; i < plan.exports; i++) {
    sometime(() => sticks.export(world.chance(0.3) ? 3_000 + world.integer(10_000) : 1e6));
    for (let again = 0; again < 2; again++) {
      sometime(() => any(sticks.exports, (file) => sticks.take(file)));
      sometime(() => any(sticks.replies, (file) => sticks.answer(file)));
    }
  }
  for (let i = 0; i < plan.connects; i++) {
    sometime(() => channel.connect());
    sometime(() => channel.disconnect());
  }
  for (let i = 0; i < plan.agentKills; i++) sometime(() => sticks.restartAgent());
  for (let i = 0; i < plan.centralRestarts; i++) sometime(() => channel.restartCentral());
  if (plan.centralEmptied) sometime(() => channel.restartCentral(true));
  await world.run(MAKING_MS + 1_000, () => false);

  // From here on by stick alone, one after the other. Two rounds: the second one brings what the first reply made pending.
  channel.disconnect();
  let over = false;
  void (async () => {
    for (let round = 0; round < 3; round++) {
      const reply = await sticks.take(await sticks.export(1e7));
      await sticks.answer(reply!);
    }
    over = true;
  })();
  expect(await world.run(LONGEST_MS, () => over)).toBe(true);
  return sticks;
}

async function check({ channel }: StickWorld): Promise<void> {
  expect(channel.problems).toEqual([]);
  expect(channel.outbox.stats().pendingRecords).toBe(0);
  for (const [name, { epoch, seq, record }] of channel.made) {
    expect(contains(await channel.store.settled(AGENT, epoch), seq), `${name} is stored`).toBe(true);
    expect(channel.stored.get(name)).toBe(record);
  }
  for (const row of await channel.store.ledger(AGENT)) {
    expect(row).toMatchObject({ committed: row.made, pending: 0, lost: 0, quarantined: 0 });
  }
}

const quiet: Plan = { records: 80, exports: 3, connects: 0, agentKills: 0, centralRestarts: 0, centralEmptied: false };

test('a machine that never had a network', async () => {
  await check(await run(1, quiet));
});

test('whatever comes in between, in whatever order, nothing is lost and nothing twice', async () => {
  const count = (max: number) => fc.integer({ min: 0, max });
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.record({
        records: fc.constant(80),
        exports: count(8),
        connects: count(3),
        agentKills: count(3),
        centralRestarts: count(3),
        centralEmptied: fc.boolean(),
      }),
      async (seed, plan) => check(await run(seed, plan)),
    ),
    { numRuns: 60 },
  );
}, 120_000);

test('an old reply never replaces what a newer one said', async () => {
  const sticks = await StickWorld.open(5);
  const { channel } = sticks;
  let seen: (ImportResult | null)[] = [];
  let over = false;
  void (async () => {
    await channel.append('top', new TextEncoder().encode('{}'), 'detail');
    const old = await sticks.take(await sticks.export(1e6));
    // The central lost everything; the agent's next stick tells it what it still holds.
    channel.restartCentral(true);
    const empty = await sticks.take(await sticks.export(1e6));
    seen = [await sticks.answer(empty!), await sticks.answer(old!), await sticks.answer(empty!)];
    over = true;
  })();
  expect(await channel.world.run(LONGEST_MS, () => over)).toBe(true);
  expect(seen.map((result) => result?.outdated)).toEqual([false, true, false]);
  await check(sticks);
});
