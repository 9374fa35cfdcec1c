/**
 * Appends as fast as the disk lets it and prints each record's epoch, seq and number once it is durable; to be killed.
 * Argument: the outbox's directory.
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import type { RecordClass } from '../../agent/outbox/outbox.ts';
import { baseOptions, ManualTime, record } from '../contract/outbox.harness.ts';

const time = new ManualTime();
const outbox = await openLevelOutbox({
  ...baseOptions(time, (bytes) => randomBytes(bytes)),
  directory: process.argv[2]!,
  timers: {
    after: (delayMs, callback) => setTimeout(callback, delayMs),
    cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
  },
  commitIntervalMs: 20,
});
const classes: readonly RecordClass[] = ['detail', 'rollup', 'incident', 'detail'];
for (let number = 0; ; number++) {
  const recordClass = classes[number % classes.length]!;
  const appended = outbox
    .append(record(recordClass, number, 300 + (number % 7) * 400), recordClass)
    .then(({ epoch, seq }) => {
      // The line is in the pipe before anything else happens: what was said can't be taken back by the kill.
      writeSync(1, `${epoch} ${seq} ${number}\n`);
    });
  // Several wait for one commit, and now and then the outbox is quiet.
  if (number % 10 === 9) await appended;
}
