/**
 * The channel under one seed. What must hold at the end: every record that became durable is stored once, byte for
 * byte, and nothing is pending; what the central could never take is named by a gap, and nothing else is.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packPayload } from '../../shared/transport/compress.ts';
import { encodeEnvelope } from '../../shared/wire/envelope.ts';
import { frameRecord } from '../../shared/wire/frame.ts';
import { contains } from '../../shared/wire/ranges.ts';
import { encodeRecord } from '../../shared/wire/record.ts';
import { ChannelWorld, type Faults, noFaults } from './channel-world.ts';

const MAKING_MS = 60_000;
const LONGEST_MS = 4 * 3_600_000;

interface Troubles extends Faults {
  readonly records: number;
  readonly disconnects: number;
  readonly agentKills: number;
  readonly centralRestarts: number;
  readonly centralEmptied: boolean;
  /** Bodies that do not decode, and records over which the central itself fails each time. */
  readonly badBodies: number;
  readonly unanswered: number;
}

const noTroubles: Troubles = {
  ...noFaults,
  records: 150,
  disconnects: 0,
  agentKills: 0,
  centralRestarts: 0,
  centralEmptied: false,
  badBodies: 0,
  unanswered: 0,
};

async function run(seed: number, troubles: Troubles): Promise<ChannelWorld> {
  const channel = await ChannelWorld.open(seed, troubles);
  const { world } = channel;
  const sometime = (what: () => unknown): unknown => world.timers.after(world.next() * MAKING_MS, () => void what());
  for (let i = 0; i < troubles.records; i++) {
    sometime(() => {
      if (i % 4 === 0) return channel.appendWindow(`series ${i % 12}`, i % 8 === 0 || i < 12);
      return channel.appendDocument(i % 7 === 0 ? 'incident' : i % 5 === 0 ? 'rollup' : 'detail');
    });
  }
  for (let i = 0; i < troubles.badBodies; i++) sometime(() => channel.appendDocument('detail', 'bad'));
  for (let i = 0; i < troubles.unanswered; i++) sometime(() => channel.appendDocument('incident', 'unanswered'));
  for (let i = 0; i < troubles.disconnects; i++) {
    sometime(() => channel.disconnect());
    sometime(() => channel.connect());
  }
  for (let i = 0; i < troubles.agentKills; i++) sometime(() => channel.killAgent());
  for (let i = 0; i < troubles.centralRestarts; i++) {
    sometime(() => {
      channel.central = false;
      world.timers.after(world.next() * 20_000, () => channel.restartCentral());
    });
  }
  if (troubles.centralEmptied) sometime(() => channel.restartCentral(true));
  sometime(() => channel.connect());
  world.timers.after(MAKING_MS + 21_000, () => {
    if (!channel.connected) channel.connect();
    // A last one, so that the agent hears of a central that is another.
    void channel.appendDocument('detail');
  });
  let over = false;
  world.timers.after(MAKING_MS + 22_000, () => {
    over = true;
  });
  const drained = await world.run(LONGEST_MS, () => over && channel.drained);
  const told = { now: world.now, counts: channel.publisher.counts, ingest: channel.ingest.counts };
  expect(drained, `everything drains: ${JSON.stringify(told)}`).toBe(true);
  return channel;
}

/** Holds the end against what was made. */
async function check(channel: ChannelWorld, mayRefuse = 0): Promise<void> {
  expect(channel.problems).toEqual([]);
  const { store, made, stored } = channel;
  const refused: string[] = [];
  for (const [key, { epoch, seq, record, body }] of made) {
    const settled = contains(await store.settled('m1', epoch), seq);
    if (body === 'unanswered') expect(settled, `${key} cannot be stored`).toBe(false);
    else if (settled) expect(stored.get(key)).toBe(record);
    else refused.push(key);
  }
  const planted = [...made.values()].filter(({ body }) => body === 'unanswered').length;
  const quarantined = [...made.values()].filter(({ body }) => body === 'bad').length;
  const rows = await store.ledger('m1');
  const sum = (of: 'made' | 'committed' | 'quarantined' | 'pending' | 'lost'): number =>
    rows.reduce((total, row) => total + row[of], 0);
  expect(refused.length).toBeLessThanOrEqual(mayRefuse);
  expect(sum('lost')).toBe(planted + refused.length);
  expect(sum('pending')).toBe(0);
  expect(sum('quarantined')).toBe(quarantined);
  expect(sum('committed') + sum('quarantined') + sum('lost')).toBe(sum('made'));
}

describe('the channel loses nothing', () => {
  test('on a quiet line', async () => {
    await check(await run(1, noTroubles));
  });

  test('whatever the line, the broker, the agent and the central do', async () => {
    const share = (max: number) => fc.double({ min: 0, max, noNaN: true });
    const count = (max: number) => fc.integer({ min: 0, max });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.record({
          lost: fc.oneof(fc.constant(0), share(0.4)),
          doubled: share(0.5),
          delayMs: fc.integer({ min: 1, max: 5_000 }),
          commitMs: fc.integer({ min: 1, max: 3_000 }),
          commitsFail: fc.oneof(fc.constant(0), share(0.5)),
          tablesLost: fc.oneof(fc.constant(0), share(0.5)),
          records: fc.constant(100),
          disconnects: count(4),
          agentKills: count(3),
          centralRestarts: count(3),
          centralEmptied: fc.boolean(),
          badBodies: count(3),
          unanswered: count(6),
        }),
        async (seed, troubles) => {
          const channel = await run(seed, troubles);
          // Where messages or single commits are lost by lot, a good record can have the bad luck of a bad one.
          await check(channel, troubles.lost > 0 || troubles.commitsFail > 0 ? 3 : 0);
        },
      ),
      { numRuns: 40 },
    );
  }, 120_000);

  test('to a central that was emptied, all is sent again that the agent still holds', async () => {
    const channel = await run(7, { ...noTroubles, disconnects: 1, agentKills: 1 });
    channel.restartCentral(true);
    await channel.appendDocumentSoon();
    expect(await channel.world.run(LONGEST_MS, () => channel.drained && channel.stored.size >= channel.made.size)).toBe(
      true,
    );
    await check(channel);
  });

  test('a central that is away, or whose disk takes nothing, is no fault of any record', async () => {
    const channel = await run(3, noTroubles);
    channel.central = false;
    for (let i = 0; i < 20; i++) await channel.appendDocumentSoon();
    await channel.world.run(channel.world.now + 3_600_000, () => false);
    channel.restartCentral();
    channel.faults = { ...noFaults, commitsFail: 1 };
    await channel.world.run(channel.world.now + 3_600_000, () => false);
    channel.faults = noFaults;
    expect(await channel.world.run(channel.world.now + 600_000, () => channel.drained)).toBe(true);
    expect(channel.publisher.counts.refused).toBe(0);
    await check(channel);
  });

  test('many records that are never answered hold up no other, and each ends in a gap', async () => {
    const channel = await run(5, { ...noTroubles, records: 60, unanswered: 12 });
    expect(channel.publisher.counts.refused).toBe(12);
    await check(channel);
  });

  test('a backlog goes at its rate, and what is made meanwhile goes at once', async () => {
    const channel = await run(13, { ...noTroubles, records: 10 });
    const { world } = channel;
    channel.disconnect();
    const appended = Array.from({ length: 1_500 }, () => channel.appendDocument('detail'));
    await world.run(world.now + 1_000, () => false);
    await Promise.all(appended);
    const pending = channel.outbox.stats().pendingRecords;
    channel.connect();
    await world.run(world.now + 2_000, () => false);
    await channel.appendDocumentSoon();
    expect(channel.stored.has([...channel.made.keys()].at(-1)!)).toBe(true);
    expect(channel.outbox.stats().pendingRecords).toBeGreaterThan(pending / 4);
    expect(await world.run(world.now + 600_000, () => channel.drained)).toBe(true);
    await check(channel);
  });

  test('one key with two contents: the second is set aside, and the agent begins a new epoch', async () => {
    const channel = await run(9, { ...noTroubles, records: 20 });
    const { world, outbox } = channel;
    const epoch = outbox.epoch();
    const seq = outbox.position().seq + 1;
    const body = new TextEncoder().encode('{"of":"the clone"}');
    const record = encodeRecord({
      kind: 'top',
      bootId: 'c'.repeat(32),
      monotonicMs: 1,
      wallMs: 1,
      wallTrusted: 'no',
      body,
    });
    await Promise.all([
      channel.ingest.receive(
        'm1',
        packPayload(
          encodeEnvelope({
            agent: 'm1',
            epoch,
            n: 1,
            incarnation: null,
            bootId: 'c'.repeat(32),
            sentMonotonicMs: 1,
            highestSeq: seq,
            held: [[seq, seq]],
            frames: [frameRecord(epoch, seq, record)],
            live: true,
          }),
        ),
      ),
      world.run(world.now + 1_000, () => false),
    ]);
    await channel.appendDocumentSoon();
    expect(await world.run(world.now + 60_000, () => channel.drained)).toBe(true);
    await channel.appendDocumentSoon();
    expect(await world.run(world.now + 60_000, () => channel.drained)).toBe(true);
    expect(outbox.epoch()).not.toBe(epoch);
    expect(channel.stored.get(`${epoch}/${seq}`)).toBe(Buffer.from(record).toString('hex'));
    expect(await channel.store.quarantine('m1')).toMatchObject([{ epoch, seq }]);
    expect(channel.problems).toEqual([]);
  });

  test('a connection that ended leaves no timer', async () => {
    const channel = await run(11, { ...noTroubles, records: 20 });
    channel.central = false;
    await channel.appendDocumentSoon();
    await channel.world.run(channel.world.now + 1_000, () => false);
    channel.disconnect();
    const sent = channel.publisher.counts.envelopesSent;
    await channel.world.run(channel.world.now + 3_600_000, () => false);
    expect(channel.publisher.counts.envelopesSent).toBe(sent);
  });
});
