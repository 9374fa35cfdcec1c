/** The scenarios, in the order in which they run: one line each. */
import { agentKill } from './agent-kill.ts';
import { bridge } from './bridge.ts';
import { brokerKill } from './broker.ts';
import { centralKill } from './central-kill.ts';
import { centralRestored } from './central-restored.ts';
import { wallClocks } from './clocks.ts';
import { damage } from './damage.ts';
import { diskFull } from './disk-full.ts';
import { fuzz } from './fuzz.ts';
import { fuzzAgent } from './fuzz-agent.ts';
import { partition } from './partition.ts';
import { powerCut } from './power-cut.ts';
import { readOnly } from './read-only.ts';
import type { Scenario } from './scenario.ts';
import { twins } from './twins.ts';

export const scenarios: readonly Scenario[] = [
  agentKill, // the disk and the process
  powerCut,
  diskFull,
  damage,
  readOnly,
  brokerKill, // the way to the central
  centralKill,
  centralRestored,
  bridge,
  partition,
  twins, // one identity, many disks
  wallClocks, // the clocks
  fuzz, // what comes in from outside
  fuzzAgent,
];
