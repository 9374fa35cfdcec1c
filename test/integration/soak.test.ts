/** Short forms of the soak's scenarios: `npm run soak` injects hundreds of what is injected here once or twice. */
import { expect, test } from 'vitest';
import { agentKill } from '../../scripts/soak/agent-kill.ts';
import { brokerKill } from '../../scripts/soak/broker.ts';
import { centralKill } from '../../scripts/soak/central-kill.ts';
import { centralRestored } from '../../scripts/soak/central-restored.ts';
import { damage } from '../../scripts/soak/damage.ts';
import { diskFull } from '../../scripts/soak/disk-full.ts';
import { powerCut } from '../../scripts/soak/power-cut.ts';
import { readOnly } from '../../scripts/soak/read-only.ts';
import { runScenario } from '../../scripts/soak/run.ts';
import type { Scenario } from '../../scripts/soak/scenario.ts';

/** Fixed, so that a red build speaks of what was changed; times are the machine's all the same. */
const SEED = 1;

/** How often: as few as mean something (connected lives are every second or third one). */
const short: readonly (readonly [Scenario, number])[] = [
  [agentKill, 3],
  [powerCut, 3],
  [diskFull, 1],
  [damage, 2],
  [readOnly, 1],
  [brokerKill, 1],
  [centralKill, 2],
  [centralRestored, 2],
];

test.each(short.map(([scenario, times]) => [scenario.name, scenario, times] as const))(
  '%s',
  async (_name, scenario, times) => {
    const { goals, logs } = await runScenario(scenario, { times, seed: SEED });
    expect(goals.length).toBeGreaterThan(1);
    expect(
      goals.filter(({ met, timed }) => !met && !timed),
      logs.join('\n'),
    ).toEqual([]);
  },
);
