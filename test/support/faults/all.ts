/** Every fault: what the whole machine feels, then what is felt in one place. */
import { clockStop } from './clock-stop.ts';
import { cpuLoad } from './cpu-load.ts';
import { diskFill } from './disk-fill.ts';
import { diskLatency } from './disk-latency.ts';
import type { Fault } from './fault.ts';
import { memoryLeak } from './memory-leak.ts';
import { packetLoss } from './packet-loss.ts';
import { processDeath } from './process-death.ts';
import { serviceBurn, serviceLeak } from './watched-service.ts';

/** Whoever measures the machine sees them, wherever they are made. */
export const wideFaults: readonly Fault[] = [cpuLoad, memoryLeak];

/** Seen where they are made, and nowhere else. */
export const narrowFaults: readonly Fault[] = [
  diskFill,
  diskLatency,
  packetLoss,
  processDeath,
  clockStop,
  serviceBurn,
  serviceLeak,
];
