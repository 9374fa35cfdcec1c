/**
 * Random lives of an outbox against a model of what a central would know: whatever is appended, acknowledged, killed,
 * filled up and broken, every seq that was made is held, was acknowledged, or is named by a gap; and every record that
 * was reported durable is one of the three, with its own bytes.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Outbox, RecordClass } from '../../agent/outbox/outbox.ts';
import type { Gap } from '../../shared/wire/bodies.ts';
import { countSeqs, intersect, type SeqRanges, unite } from '../../shared/wire/ranges.ts';
import { FlakyDisk } from './outbox.flaky.ts';
import {
  baseOptions,
  countingRandom,
  everything,
  gapsIn,
  ManualTime,
  named,
  numberOf,
  record,
  seqsOf,
} from './outbox.harness.ts';

type Command =
  | { readonly do: 'append'; readonly recordClass: RecordClass; readonly sizeBytes: number; readonly urgent: boolean }
  | { readonly do: 'fill'; readonly records: number }
  | { readonly do: 'acknowledge'; readonly share: number }
  | { readonly do: 'refuse' }
  | { readonly do: 'forget' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'kill' }
  | { readonly do: 'break'; readonly how: 'lost' | 'landed'; readonly appends: number };

const recordClass = fc.constantFrom<RecordClass>('detail', 'detail', 'rollup', 'incident');
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      recordClass,
      sizeBytes: fc.integer({ min: 8, max: 4000 }),
      urgent: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fill' as const), records: fc.integer({ min: 5, max: 40 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('acknowledge' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'refuse' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'forget' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 2_000_000 }) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'kill' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('break' as const),
      how: fc.constantFrom('lost' as const, 'landed' as const),
      appends: fc.integer({ min: 1, max: 5 }),
    }),
  },
);

/** What a central has committed. */
class Central {
  readonly settled = new Map<string, SeqRanges>();
  readonly gaps: Gap[] = [];
  /** What the record of a key said. */
  readonly numbers = new Map<string, number>();

  take(entries: Awaited<ReturnType<typeof everything>>): Map<string, SeqRanges> {
    this.gaps.push(...gapsIn(entries));
    const now = new Map<string, SeqRanges>();
    for (const entry of entries) {
      const { epoch, seq } = entry;
      if (entry.recordClass !== 'control') this.numbers.set(`${epoch}/${seq}`, numberOf(entry));
      now.set(epoch, unite(now.get(epoch) ?? [], [[seq, seq]]));
      this.settled.set(epoch, unite(this.settled.get(epoch) ?? [], [[seq, seq]]));
    }
    return now;
  }
}

it('adds up whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 40, size: 'max' }), async (commands) => {
      let time = new ManualTime();
      const disk = new FlakyDisk();
      const random = countingRandom();
      const central = new Central();
      const durable = new Map<string, number>();
      const highestOf = new Map<string, number>();
      let number = 0;
      const open = () => disk.open({ ...baseOptions(time, random), limitBytes: 60_000, commitBytes: 8_000 });
      let outbox = await open();
      const waiting = new Set<Promise<unknown>>();

      const append = (of: Outbox, recordClass: RecordClass, sizeBytes: number, urgent: boolean): void => {
        const own = number++;
        const appended = of.append(record(recordClass, own, sizeBytes), recordClass, { urgent }).then(
          ({ epoch, seq }) => {
            const key = `${epoch}/${seq}`;
            expect(durable.has(key)).toBe(false);
            durable.set(key, own);
            highestOf.set(epoch, Math.max(highestOf.get(epoch) ?? 0, seq));
          },
          () => undefined,
        );
        waiting.add(appended);
        void appended.finally(() => waiting.delete(appended));
      };

      for (const step of commands) {
        if (step.do === 'append') append(outbox, step.recordClass, step.sizeBytes, step.urgent);
        if (step.do === 'fill') for (let i = 0; i < step.records; i++) append(outbox, 'detail', 2500, i % 5 === 0);
        if (step.do === 'forget') await outbox.forgetSettled();
        if (step.do === 'wait') time.advance(step.ms);
        if (step.do === 'refuse') {
          const entry = (await outbox.peek('detail', { start: 0, seq: 0 }, 1))[0];
          if (entry !== undefined) await outbox.refuse(entry.epoch, entry.seq);
        }
        if (step.do === 'acknowledge') {
          const entries = await everything(outbox);
          const taken = central.take(entries.slice(0, Math.ceil(entries.length * step.share)));
          for (const [epoch, ranges] of taken) await outbox.ack(epoch, ranges);
        }
        if (step.do === 'kill') {
          await outbox.flush();
          append(outbox, 'detail', 100, false);
          time.kill();
          waiting.clear();
          const later = new ManualTime();
          later.nowMs = time.nowMs;
          time = later;
          outbox = await open();
        }
        if (step.do === 'break') {
          disk.writes = step.how;
          for (let i = 0; i < step.appends; i++) append(outbox, 'detail', 200, true);
          await outbox.flush();
          append(outbox, 'rollup', 200, true);
          disk.writes = 'good';
          await time.until(Promise.all([...waiting]));
        }
      }
      await outbox.flush();
      await time.until(Promise.all([outbox.audited(), ...waiting]));
      expect(disk.misused).toBe(0);
      expect(disk.shelf.sizeBytes()).toBeLessThan(60_000 * 1.1 + 8_000);

      await outbox.forgetSettled();
      const entries = await everything(outbox);
      const gaps = [...central.gaps, ...gapsIn(entries)];
      for (const [epoch, highest] of highestOf) {
        const known = unite(central.settled.get(epoch) ?? [], unite(seqsOf(entries, epoch), named(gaps, epoch)));
        expect(countSeqs(intersect(known, [[1, highest]]))).toBe(highest);
      }
      central.take(entries);
      for (const [key, own] of durable) expect(central.numbers.get(key) ?? own).toBe(own);
      // What was made once has one key.
      expect(new Set(central.numbers.values()).size).toBe(central.numbers.size);
      await outbox.close();
    }),
    { numRuns: 150 },
  );
}, 60_000);
