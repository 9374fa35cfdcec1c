/** The scenarios, in the order in which they run: one line each. */
import { agentKill } from './agent-kill.ts';
import { bridge } from './bridge.ts';
import { diskFull } from './disk-full.ts';
import { powerCut } from './power-cut.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [agentKill, powerCut, diskFull, bridge];
