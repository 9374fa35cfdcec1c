/**
 * Everything that an agent can be told, spoiled, by somebody who owns the broker: acknowledgements, manifests, commands,
 * chunks. It must go on, take nothing of it, and obey its real central afterwards.
 */
import mqtt from 'mqtt';
import { downTopic } from '../../shared/wire/topics.ts';
import { Mosquitto } from '../../test/support/mosquitto.ts';
import { until } from '../../test/support/processes.ts';
import { drained } from '../../test/support/system.ts';
import { memoryOf } from '../bench/process-cost.ts';
import { programs } from '../build/programs.ts';
import { expectLedgerAddsUp } from './accounts.ts';
import { saidByCentrals } from './fuzz-corpus.ts';
import { mutated } from './mutations.ts';
import type { Scenario } from './scenario.ts';

const MOST_BYTES = 60_000;
const MEMORY_MB = 50;
const IN_FLIGHT = 8;
const SAMPLE_EVERY = 500;
const PATIENCE_MS = 120_000;

export const fuzzAgent: Scenario = {
  name: 'fuzz-agent',
  doc: "mutated messages to an agent, by whoever owns its broker: acknowledgements, manifests, commands, models' parts",
  goal: '0 crashes, memory + 50 MB at most, nothing taken, its central obeyed afterwards',
  times: 100_000,
  async run(context) {
    const { system, times, random } = context;
    const mosquitto = await Mosquitto.prepare(system);
    const central = await system.central({ config: mosquitto.config });
    await mosquitto.start();
    const agent = system.agent('agent', 'outbox: {commitInterval: 1s}\n');
    const { agent: id, prefix, broker } = await agent.enrolAt(central);
    mosquitto.reload();
    // As its executable and its systemd unit have it: memory is counted.
    const { flags } = programs.find(({ name }) => name === 'picket-agent')!;
    await agent.start({
      command: ([node, ...rest]) => [node!, ...flags, ...rest],
      env: { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '2' },
    });
    const version = async () => (await central.state(id)).reported?.manifestVersion ?? 0;
    await until('the first manifest is taken', async () => (await version()) > 0, PATIENCE_MS);
    const client = await mqtt.connectAsync(broker, { username: 'picket-central', password: 'of-the-central' });
    const said = saidByCentrals();
    const channels = Object.keys(said) as Parameters<typeof downTopic>[2][];
    const memoryMb = (): number => memoryOf(agent.program.pid).anonymousMb;
    let restMb = memoryMb();
    let highestMb = 0;
    let left = times;
    const inject = async (): Promise<void> => {
      while (left-- > 0) {
        const channel = channels[Math.floor(random() * channels.length)]!;
        const payload = Buffer.from(mutated(said[channel]!, random, MOST_BYTES));
        await client.publishAsync(downTopic(prefix, id, channel), payload, { qos: 1 });
        context.inject(`mutated messages on down/${channel}`);
        if (left % SAMPLE_EVERY !== 0) continue;
        if (!agent.program.alive) return;
        // Code and caches that every use brings are no leak.
        if (left > times * 0.9) restMb = Math.max(restMb, memoryMb());
        else highestMb = Math.max(highestMb, memoryMb());
        context.progress(`${left} to go`);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, inject));
    await client.endAsync(true);
    context.expect('0 crashes', agent.program.alive, agent.program.stderr.slice(-2_000));
    context.expect(`memory + ${MEMORY_MB} MB at most`, highestMb - restMb <= MEMORY_MB, { restMb, highestMb });
    const taken = (await central.state(id)).reported?.manifestVersion ?? 0;
    context.expect('no manifest was taken that its central did not sign', taken < 99_999, taken);
    const nowMs = Date.now();
    const values = `/agents/${id}/values?series=0123456789abcdef&from=${nowMs - 60_000}&to=${nowMs}`;
    await until('the agent obeys its central', async () => (await central.fetch(values)).status === 200, PATIENCE_MS);
    await drained(central, id, 1, PATIENCE_MS);
    await agent.stop();
    await context.ledger('agent', central, id);
    await expectLedgerAddsUp(context, central, id);
    return { memory_rest_mb: restMb, memory_highest_mb: highestMb };
  },
};
