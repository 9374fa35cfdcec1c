/**
 * The channel under one seed: the agent's publisher and outbox, the central's ingest and store, and between them a
 * broker that loses, doubles, delays and reorders messages, connections that break, and centrals that start anew.
 * What must hold at the end: every record that became durable is stored once, byte for byte, and nothing is pending.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openMemoryOutbox } from '../../agent/outbox/memory.ts';
import { Publisher } from '../../agent/publish.ts';
import { BootOffsets } from '../../central/dating.ts';
import { Ingest } from '../../central/ingest.ts';
import { MemoryStore } from '../../central/store/memory.ts';
import { contains } from '../../shared/wire/ranges.ts';
import { encodeRecord } from '../../shared/wire/record.ts';
import { Simulated } from './simulated.ts';

const bootId = 'b'.repeat(32);
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

interface Faults {
  /** Shares of messages, 0…1. */
  readonly lost: number;
  readonly doubled: number;
  /** Messages are delayed by up to this. */
  readonly delayMs: number;
  readonly disconnects: number;
  readonly centralRestarts: number;
}

async function run(seed: number, faults: Faults): Promise<void> {
  const world = new Simulated(seed);
  const outbox = await openMemoryOutbox({
    limitBytes: 10_000_000,
    keepAcknowledgedMs: 3_600_000,
    commitIntervalMs: 100,
    commitBytes: 64 * 1024,
    clock: world.clock,
    timers: world.timers,
    random: (bytes) => world.bytes(bytes),
    bootId,
    log: quiet,
    wall: () => ({ wallMs: world.clock.wallMs(), wallTrusted: 'yes' }),
  });
  const store = new MemoryStore();
  let connected = false;
  let ingest = newIngest();

  function newIngest(): Ingest {
    const own = new Ingest({
      store,
      offsets: new BootOffsets(),
      incarnation: world.hex(16),
      nowMs: () => world.clock.wallMs(),
      log: quiet,
      knows: () => true,
      sendAck: async (_agent, payload) => {
        // An acknowledgement of a central that is no more can still be on its way.
        pass(() => {
          if (connected) void publisher.acknowledged(payload);
        });
      },
      committed: () => {},
    });
    return own;
  }

  /** A message goes its way: lost, doubled, late. */
  function pass(deliver: () => void): void {
    if (world.chance(faults.lost)) return;
    const copies = world.chance(faults.doubled) ? 2 : 1;
    for (let i = 0; i < copies; i++) world.timers.after(world.next() * faults.delayMs, deliver);
  }

  const publisher = new Publisher({
    agent: 'm1',
    bootId,
    outbox,
    clock: world.clock,
    timers: world.timers,
    log: quiet,
    backlogBytesPerS: 20_000,
    send: async (payload) => {
      if (!connected) throw new Error('not connected');
      // The broker acknowledges whatever becomes of the message.
      pass(() => void ingest.receive('m1', payload));
    },
    heard: () => {},
    incarnation: null,
    believe: () => {},
  });

  const made = new Map<number, string>();
  for (let i = 0; i < 200; i++) {
    world.timers.after(world.next() * 60_000, () => {
      const body = new TextEncoder().encode(JSON.stringify({ i, noise: world.hex(world.integer(200)) }));
      const record = encodeRecord({ kind: 'top', bootId, monotonicMs: i, wallMs: i, wallTrusted: 'yes', body });
      const recordClass = i % 7 === 0 ? 'incident' : i % 5 === 0 ? 'rollup' : 'detail';
      void outbox.append(record, recordClass).then((seq) => {
        made.set(seq, Buffer.from(record).toString('hex'));
        publisher.wake();
      });
    });
  }
  for (let i = 0; i <= faults.disconnects; i++) {
    world.timers.after(world.next() * 60_000, () => {
      connected = false;
      publisher.disconnected();
    });
    world.timers.after(i === faults.disconnects ? 61_000 : world.next() * 60_000, () => {
      connected = true;
      publisher.connected();
    });
  }
  for (let i = 0; i < faults.centralRestarts; i++) {
    world.timers.after(world.next() * 60_000, () => {
      ingest = newIngest();
    });
  }

  const drained = await world.run(3_600_000, () => world.now >= 61_000 && outbox.stats().pendingRecords === 0);
  if (!drained) console.error(world.now, outbox.stats(), publisher.counts, ingest.counts, await store.ledger('m1'), JSON.stringify(outbox.epochs()));
  expect(drained, 'everything drains').toBe(true);
  const epoch = outbox.epoch();
  const settled = await store.settled('m1', epoch);
  expect(made.size).toBe(200);
  for (const seq of made.keys()) expect(contains(settled, seq)).toBe(true);
  const [row] = await store.ledger('m1');
  // The outbox's own first record of the epoch is one more.
  expect(row).toMatchObject({ made: 201, committed: 201, pending: 0, lost: 0, quarantined: 0 });
}

describe('the channel loses nothing', () => {
  test('on a quiet line', () => run(1, { lost: 0, doubled: 0, delayMs: 5, disconnects: 0, centralRestarts: 0 }));

  test('whatever the line does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.record({
          lost: fc.double({ min: 0, max: 0.5, noNaN: true }),
          doubled: fc.double({ min: 0, max: 0.5, noNaN: true }),
          delayMs: fc.integer({ min: 1, max: 5_000 }),
          disconnects: fc.integer({ min: 0, max: 4 }),
          centralRestarts: fc.integer({ min: 0, max: 3 }),
        }),
        run,
      ),
      { numRuns: 40 },
    );
  }, 60_000);
});
