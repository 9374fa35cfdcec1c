import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../../shared/limits.ts';
import { ManualTimers } from '../../test/support/timers.ts';
import { ownMemory } from '../memory.ts';
import { MEMORY_MORE_BYTES, MemoryWatch } from './memory-watch.ts';

const MB = 2 ** 20;

/** A watch over a process with so much alive, and so much garbage. */
function watchOf(beforeBytes: number | null = 8 * MB) {
  const timers = new ManualTimers();
  const memory = { alive: 8 * MB, garbage: 0, collected: 0 };
  const said: string[] = [];
  let trials = [{ slot: 'model/a', beforeBytes }];
  const watch = new MemoryWatch({
    meter: {
      usedBytes: () => memory.alive + memory.garbage,
      collect: () => {
        memory.garbage = 0;
        memory.collected++;
      },
    },
    timers,
    watched: () => trials,
    over: (slot, reason) => {
      said.push(`${slot}: ${reason}`);
      trials = [];
    },
  });
  watch.start();
  return { timers, memory, said, watch, end: () => (trials = []) };
}

describe('the memory of what is on trial', () => {
  it('is too much when it stays so', () => {
    const { timers, memory, said } = watchOf();
    memory.alive = 8 * MB + MEMORY_MORE_BYTES + 1;
    timers.advance(2 * MINUTE_MS);
    expect(said).toEqual([]);
    timers.advance(MINUTE_MS);
    expect(said).toEqual(['model/a: with it 32 MB of memory are in use, 8 MB before it came']);
    timers.advance(60 * MINUTE_MS);
    expect([said.length, timers.waiting]).toEqual([1, 0]);
  });

  it('is not garbage, nor what is gone again', () => {
    const { timers, memory, said } = watchOf();
    for (let i = 0; i < 10; i++) {
      memory.garbage = 100 * MB;
      timers.advance(MINUTE_MS);
    }
    expect(memory.collected).toBe(10);
    for (let i = 0; i < 9; i++) {
      memory.alive = (i % 3 === 2 ? 8 : 80) * MB;
      timers.advance(MINUTE_MS);
    }
    expect(said).toEqual([]);
  });

  it('is not collected while it is little, and not looked at once nothing is on trial', () => {
    const { timers, memory, end } = watchOf();
    memory.alive = 8 * MB + MEMORY_MORE_BYTES;
    timers.advance(10 * MINUTE_MS);
    expect([memory.collected, timers.waiting]).toEqual([0, 1]);
    end();
    timers.advance(MINUTE_MS);
    expect(timers.waiting).toBe(0);
  });

  it('is held against nothing where nobody counted it before', () => {
    const { timers, memory, said } = watchOf(null);
    memory.alive = 200 * MB;
    timers.advance(10 * MINUTE_MS);
    expect(said).toEqual([]);
  });
});

it('the process counts what is alive in its heap and outside of it', () => {
  ownMemory.collect();
  const before = ownMemory.usedBytes();
  const held = [Buffer.alloc(8 * MB, 1), Array.from({ length: MB }, (_, i) => i + 0.5)];
  expect(ownMemory.usedBytes() - before).toBeGreaterThan(14 * MB);
  expect(held.length).toBe(2);
});
