/** Far more busy processes than there are cores, as idle work, so that whatever else runs here gets its turn. */
import { availableParallelism } from 'node:os';
import type { Program } from '../processes.ts';
import { type Fault, quick, soon } from './fault.ts';

const PROCESSES_A_CORE = 100;

/** In a namespace of their own: they end with its first process. */
const busy = 'i=0; while [ $i -lt "$0" ]; do chrt --idle 0 sh -c "while :; do :; done" & i=$((i + 1)); done; wait';

export const cpuLoad: Fault = {
  name: 'CPU load',
  setUp({ system }) {
    let load: Program | undefined;
    return {
      // Few series, each of which says it. Without load averages, which are high long after the load has ended.
      inputs: { 'linux.cpu': { ...quick, maxCores: 0 } },
      begin() {
        const count = String(PROCESSES_A_CORE * availableParallelism());
        // In this session: in one of its own, idle work would be idle only beside itself.
        const apart = [...soon, 'unshare', '--pid', '--fork', '--kill-child'];
        load = system.start('busy', [...apart, 'sh', '-c', busy, count]);
      },
      async end() {
        await load?.end('SIGKILL');
      },
      isCause: ({ name, attributes }) =>
        name.startsWith('system.cpu.') ||
        (name === 'system.linux.tasks' && attributes.state === 'running') ||
        (name === 'system.linux.pressure.stall' && attributes.resource === 'cpu'),
    };
  },
};
