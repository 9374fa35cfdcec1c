/** Far more busy processes than there are cores, as idle work, so that whatever else runs here gets its turn. */
import { availableParallelism } from 'node:os';
import type { Program } from '../processes.ts';
import { type Fault, quick } from './fault.ts';

const PROCESSES_A_CORE = 50;

export const cpuLoad: Fault = {
  name: 'CPU load',
  setUp({ system }) {
    let busy: Program[] = [];
    return {
      // Without load averages: the longest would be high for a quarter of an hour afterwards.
      inputs: { 'linux.cpu': { ...quick, maxCores: 0 }, 'linux.pressure': quick },
      begin() {
        const count = PROCESSES_A_CORE * availableParallelism();
        const command = ['chrt', '--idle', '0', 'sh', '-c', 'while :; do :; done'];
        busy = Array.from({ length: count }, (_, i) => system.start(`busy-${i}`, command));
      },
      async end() {
        await Promise.all(busy.map((program) => program.end('SIGKILL')));
      },
      isCause: ({ name, attributes }) =>
        name.startsWith('system.cpu.') ||
        (name === 'system.linux.tasks' && attributes.state === 'running') ||
        (name === 'system.linux.pressure.stall' && attributes.resource === 'cpu'),
    };
  },
};
