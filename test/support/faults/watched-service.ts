/**
 * A service that somebody watches, at work like any other, until it runs in circles or keeps what it takes: files tell
 * it to. It has its turn however loaded the machine is, and takes little of it: all is seen in the service alone.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SeriesKey } from '../../../shared/series.ts';
import { atOnce, type Fault, quick, type Workshop } from './fault.ts';

const WORKS_EVERY_MS = 100;
/** Half of one processor. */
const BURNS_MS = 50;
/**
 * 5 MB a second, and some of it at each turn, which is more often than anybody reads: within a minute and a half nobody
 * can learn how a memory goes that rests between two steps.
 */
const LEAK_BYTES_A_MS = 5_000;
const MOST_LEAKED_BYTES = 600_000_000;

const service = `
const { existsSync } = require('fs');
const [mark, burn, leak] = process.argv.slice(1);
const kept = [];
let keptBytes = 0;
let beforeMs = performance.now();
setInterval(() => {
  const nowMs = performance.now();
  JSON.stringify(Array.from({ length: 1000 }, (_, i) => ({ i })));
  if (existsSync(burn)) while (performance.now() < nowMs + ${BURNS_MS}) {}
  const bytes = Math.floor((nowMs - beforeMs) * ${LEAK_BYTES_A_MS});
  if (existsSync(leak) && keptBytes < ${MOST_LEAKED_BYTES}) {
    kept.push(Buffer.alloc(bytes, 1));
    keptBytes += bytes;
  }
  beforeMs = nowMs;
}, ${WORKS_EVERY_MS});
`;

/** It comes to its senses by itself. */
export const serviceBurn: Fault = {
  name: 'CPU load of a service',
  setUp(workshop) {
    const { inputs, needs, burn, isUse } = serve(workshop, 'burning');
    return { inputs, needs, ...burn, isCause: isUse('process.cpu.utilization') };
  },
};

/** Somebody starts it anew, as one does. */
export const serviceLeak: Fault = {
  name: 'memory leak of a service',
  setUp(workshop) {
    const { inputs, needs, leak, restart, isUse } = serve(workshop, 'leaking');
    const end = async (): Promise<void> => {
      leak.end();
      await restart();
    };
    return { inputs, needs, begin: leak.begin, end, isCause: isUse('process.memory.usage') };
  },
};

function serve({ system }: Workshop, name: string) {
  const order = (what: string) => {
    const file = join(system.directory, `${name}-${what}`);
    return { file, begin: () => void system.write(`${name}-${what}`, ''), end: () => rmSync(file, { force: true }) };
  };
  const burn = order('burn');
  const leak = order('leak');
  // The directory tells it from those of other tests.
  const mark = `picket-${name} ${system.directory}`;
  const command = [...atOnce, process.execPath, '-e', service, mark, burn.file, leak.file];
  const start = () => system.start(name, command);
  let running = start();
  const watch = [{ name, command: `*${mark}*` }];
  return {
    inputs: { process: { ...quick, watch } },
    needs: { process: { watch } },
    burn: { begin: burn.begin, end: burn.end },
    leak,
    restart: async () => {
      await running.end('SIGKILL');
      running = start();
    },
    isUse: (metric: string) => (key: SeriesKey) =>
      key.name === metric && key.attributes['process.watched.name'] === name,
  };
}
