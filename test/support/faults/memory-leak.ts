/** A process that takes more and more memory and gives none back. */
import { freemem } from 'node:os';
import type { Program } from '../processes.ts';
import { atOnce, type Fault, quick } from './fault.ts';

/** Of what is free: seen from afar, and nothing else is pushed out. */
const SHARE = 0.4;
const STEP_BYTES = 64 * 1024 * 1024;
const STEP_MS = 200;

const leak = `
const kept = [];
const most = Number(process.argv[1]);
setInterval(() => { if (kept.length * ${STEP_BYTES} < most) kept.push(Buffer.alloc(${STEP_BYTES}, 1)); }, ${STEP_MS});
`;

export const memoryLeak: Fault = {
  name: 'memory leak',
  setUp(workshop) {
    let leaking: Program | undefined;
    return {
      inputs: { 'linux.memory': quick },
      begin() {
        const most = String(SHARE * freemem());
        leaking = workshop.system.start('leak', [...atOnce, process.execPath, '-e', leak, most]);
      },
      async end() {
        await leaking?.end('SIGKILL');
      },
      isCause: ({ name }) =>
        name.startsWith('system.memory.') ||
        name === 'system.linux.memory.available' ||
        name === 'system.linux.memory.committed',
    };
  },
};
