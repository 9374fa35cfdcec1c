import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import { MemoryShelf, openMemoryOutbox } from '../../agent/outbox/memory.ts';
import type { Outbox } from '../../agent/outbox/outbox.ts';
import { baseOptions, countingRandom, ManualTime } from './outbox.harness.ts';
import { outboxSuite } from './outbox.suite.ts';

outboxSuite('memory', async () => {
  const time = new ManualTime();
  const shelf = new MemoryShelf();
  const options = baseOptions(time, countingRandom());
  return {
    time,
    boundBytes: 200_000,
    boundRecordBytes: 3000,
    open: (overrides) => openMemoryOutbox({ ...options, ...overrides, shelf }),
    crash: async () => time.kill(),
    dispose: async () => {},
  };
});

outboxSuite('level', async () => {
  const time = new ManualTime();
  const root = await mkdtemp(join(tmpdir(), 'picket-outbox-'));
  const options = baseOptions(time, countingRandom());
  const abandoned: Outbox[] = [];
  let starts = 0;
  return {
    time,
    boundBytes: 3_000_000,
    boundRecordBytes: 40_000,
    open: (overrides) => openLevelOutbox({ ...options, ...overrides, directory: join(root, String(starts)) }),
    // A process that is killed can't close its database, and a process can't be its own successor: go on with a copy.
    crash: async (outbox) => {
      time.kill();
      abandoned.push(outbox);
      await cp(join(root, String(starts)), join(root, String(starts + 1)), { recursive: true });
      starts++;
    },
    dispose: async () => {
      for (const outbox of abandoned) await outbox.close();
      await rm(root, { recursive: true, force: true });
    },
  };
});
