/**
 * Everything that can come in from outside, spoiled: packets of MQTT before and after a log in, payloads on every topic
 * of an agent, records whose frame is right and whose body is not, bombs that decompress. Beside it an agent that does
 * as it should, which must not notice.
 */
import { connect as openSocket } from 'node:net';
import mqtt from 'mqtt';
import { packPayload } from '../../shared/transport/compress.ts';
import type { Enrolment } from '../../shared/trust/enrolment.ts';
import { upTopic } from '../../shared/wire/topics.ts';
import { until } from '../../test/support/processes.ts';
import type { Central } from '../../test/support/system.ts';
import { memoryOf } from '../bench/process-cost.ts';
import { drain, expectLedgerAddsUp, expectNothingLost, reckon } from './accounts.ts';
import { bodies, envelopeOf, packets, recordOf, saidByAgents } from './fuzz-corpus.ts';
import { LoadedAgent } from './loaded.ts';
import { mutated } from './mutations.ts';
import type { Scenario, SoakContext } from './scenario.ts';

const MOST_BYTES = 60_000;
const MEMORY_MB = 50;
const CONNECTIONS = 8;
const IN_FLIGHT = 16;
/** What a broker that hangs up is waited for. */
const SOCKET_MS = 50;
const LIVE_MS = 10_000;
const SAMPLE_MS = 200;
/** Of all, by kind; the rest are payloads. */
const SHARES = { beforeLogin: 0.05, afterLogin: 0.05, poison: 0.01 };

export const fuzz: Scenario = {
  name: 'fuzz',
  doc: 'mutated packets and payloads, decompression bombs, good frames with bad bodies',
  goal: '0 crashes, memory + 50 MB at most, poison set aside and never in the way',
  times: 1_000_000,
  async run(context) {
    const { system, times } = context;
    const central = await system.central({ config: 'log: {level: error}\n' });
    const [good, bad] = [await central.enrol('good'), await central.enrol('bad')];
    const agent = new LoadedAgent(system, good);
    await agent.start({ recordsPerS: 30 });
    await agent.connected();
    await agent.makes(100);

    const memory = new MemoryWatch(central);
    // First a little of everything: code and caches that every use brings are no leak.
    await inject(context, central, bad, Math.min(20_000, Math.ceil(times / 10)), false);
    const restMb = memory.take();
    await inject(context, central, bad, times, true);
    const highestMb = memory.end();
    context.expect('0 crashes', central.program.alive);
    context.expect(`memory + ${MEMORY_MB} MB at most`, highestMb - restMb <= MEMORY_MB, { restMb, highestMb });

    await agent.makes(10);
    const markMs = Date.now();
    await until('a new record of the good agent is there at once', () => answeredSince(agent, markMs), LIVE_MS);
    await drain(central, agent);
    await context.ledger('good agent', central, agent.id);
    await context.ledger('bad agent', central, bad.agent);
    await expectLedgerAddsUp(context, central, agent.id);
    const accounts = await reckon(central, agent);
    expectNothingLost(context, accounts);
    return { memory_rest_mb: restMb, memory_highest_mb: highestMb, durable_records: accounts.durable };
  },
};

class MemoryWatch {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  #highestMb = 0;

  constructor(central: Central) {
    this.#pid = central.program.pid;
    this.#timer = setInterval(() => this.#look(), SAMPLE_MS);
  }

  /** The highest so far; counting begins anew. */
  take(): number {
    this.#look();
    const highestMb = this.#highestMb;
    this.#highestMb = 0;
    return highestMb;
  }

  end(): number {
    clearInterval(this.#timer);
    return this.take();
  }

  #look(): void {
    try {
      this.#highestMb = Math.max(this.#highestMb, memoryOf(this.#pid).anonymousMb);
    } catch {
      // It is gone: the scenario says so.
    }
  }
}

function answeredSince(agent: LoadedAgent, sinceMs: number): boolean {
  agent.said.read();
  return (agent.said.newest?.durableMs ?? 0) > sinceMs;
}

async function inject(
  context: SoakContext,
  central: Central,
  bad: Enrolment,
  times: number,
  counted: boolean,
): Promise<void> {
  const { random } = context;
  const [host, port] = central.mqtt.split(':') as [string, string];
  const { login, before, after } = packets(bad);
  const count = (what: string): void => {
    if (counted) context.inject(what);
  };
  const sockets = async (many: number, corpus: readonly Uint8Array[], first: Uint8Array | null, what: string) => {
    for (let i = 0; i < many; i++) {
      await oneSocket(host, Number(port), first, mutated(corpus, random, MOST_BYTES));
      count(what);
    }
  };
  const each = (share: number): number => Math.ceil((times * share) / CONNECTIONS);
  const lanes = Array.from({ length: CONNECTIONS }, async () => {
    await sockets(each(SHARES.beforeLogin), before, null, 'mutated packets before a log in');
    await sockets(each(SHARES.afterLogin), after, login, 'mutated packets after it');
  });
  await Promise.all(lanes);
  const { prefix, agent, broker, username, password } = bad;
  const client = await mqtt.connectAsync(broker, { protocolVersion: 4, clientId: agent, username, password });
  const said = saidByAgents(agent);
  const channels = Object.keys(said) as Parameters<typeof upTopic>[2][];
  let left = Math.ceil(times * (1 - SHARES.beforeLogin - SHARES.afterLogin));
  let seq = 0;
  const publisher = async (): Promise<void> => {
    while (left-- > 0) {
      const poison = random() < SHARES.poison;
      // Three of four are records: there is most to break.
      const channel = poison || random() < 0.75 ? 'records' : channels[Math.floor(random() * channels.length)]!;
      const payload = poison ? poisoned(agent, ++seq, random) : mutated(said[channel]!, random, MOST_BYTES);
      await client.publishAsync(upTopic(prefix, agent, channel), Buffer.from(payload), { qos: 1 });
      count(poison ? 'good frames with a bad body' : `mutated payloads on up/${channel}`);
      if (counted && left % 1_000 === 0) context.progress(`${left} payloads to go`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, publisher));
  await client.endAsync(true);
}

/** A frame with a right CRC around a body that is none. */
function poisoned(agent: string, seq: number, random: () => number): Uint8Array {
  const [kind, body] = bodies[Math.floor(random() * bodies.length)]!;
  return packPayload(envelopeOf(agent, seq, recordOf(kind, mutated([body], random, 8_000))));
}

/** Writes bytes to the broker and waits until it hangs up, or for a moment. */
function oneSocket(host: string, port: number, first: Uint8Array | null, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = openSocket({ host, port });
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    };
    const timer = setTimeout(end, SOCKET_MS);
    socket.on('error', end);
    socket.on('close', end);
    socket.on('connect', () => socket.end(first === null ? bytes : Buffer.concat([first, bytes])));
    socket.resume();
  });
}
