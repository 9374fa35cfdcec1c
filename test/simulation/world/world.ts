/**
 * One run under one seed: machines, broker and central with everything that the seed's plan lets go wrong, then all is
 * well again and must drain, then the end is judged.
 */
import { HOUR_MS, MINUTE_MS } from '../../../shared/limits.ts';
import { Simulated } from '../simulated.ts';
import { SimBroker } from './broker.ts';
import { SimCentral } from './central.ts';
import { goodAgain, schedule } from './faults.ts';
import { Load } from './load.ts';
import { type MachineParts, SimMachine } from './machine.ts';
import { type Plan, planOf } from './plan.ts';
import { Trace } from './trace.ts';
import { Truth } from './truth.ts';
import { judge } from './verdict.ts';

/** Longest that it may take until everything is where it belongs, once nothing fails any more. */
const DRAIN_MS = 3_600_000;
/** What was under way when the faults ended comes to an end in this time. */
const SETTLE_MS = 60_000;

/** No seed takes a tenth of these; one that does goes round in a circle. */
const MOST_STEPS = 200_000;

export interface Outcome {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly steps: number;
  readonly records: number;
  readonly duplicates: number;
  readonly faults: readonly string[];
  /** Of everything that happened, in order. */
  readonly digest: string;
  readonly trace: readonly string[];
}

export class World {
  readonly world: Simulated;
  readonly plan: Plan;
  readonly trace: Trace;
  readonly truth: Truth;
  readonly broker: SimBroker;
  readonly central: SimCentral;
  readonly load: Load;
  readonly machines: SimMachine[] = [];
  /** Records are made and faults happen. */
  making = true;

  constructor(seed: number, keepTrace: boolean) {
    this.world = new Simulated(seed * 2_654_435_761 + 1);
    this.plan = planOf(this.world);
    const { world, plan } = this;
    this.trace = new Trace(world, keepTrace);
    this.truth = new Truth(plan.has.has('twin'));
    this.broker = new SimBroker(world, this.trace);
    this.central = new SimCentral({
      world,
      truth: this.truth,
      trace: this.trace,
      send: (agent, payload) => this.broker.toAgent(agent, payload),
    });
    this.broker.toCentral = (agent, payload) => this.central.receive(agent, payload);
    this.load = new Load(world);
    const randomSeed = world.integer(2 ** 31);
    this.#add('one', 'm1', randomSeed);
    if (plan.has.has('twin')) this.#add('twin', 'm1', randomSeed);
    if (plan.has.has('second')) this.#add('two', 'm2', randomSeed + 1);
  }

  async run(seed: number): Promise<Outcome> {
    const { world, plan, trace, truth, central } = this;
    trace.note(`seed ${seed}: ${[...plan.has].join(' ')}; ${JSON.stringify(plan.settings)}`);
    for (const machine of this.machines) machine.start();
    schedule(this);
    if (plan.has.has('clone')) world.timers.after(world.next() * plan.makingMs, () => this.#clone());
    await world.run(plan.makingMs, this.#tooMany);
    await this.#heal();
    await this.#maintain();
    if (world.steps > MOST_STEPS) truth.problem(`${world.steps} steps: something never comes to rest`);
    else await judge(this);
    trace.note(`ends: ${truth.problems.join('; ')}`);
    return {
      seed,
      problems: truth.problems,
      steps: world.steps,
      records: truth.records,
      duplicates: central.duplicates,
      faults: [...plan.has],
      digest: trace.digest(),
      trace: trace.lines,
    };
  }

  readonly #tooMany = (): boolean => this.world.steps > MOST_STEPS;

  #add(name: string, agent: string, randomSeed: number): SimMachine {
    const { world, broker, truth, trace, plan } = this;
    const parts: MachineParts = { name, agent, randomSeed, settings: plan.settings, world, broker, truth, trace };
    const machine = new SimMachine(parts);
    this.machines.push(machine);
    return machine;
  }

  /** A second machine on a copy of the first one's disk. */
  #clone(): void {
    const [first] = this.machines;
    this.trace.note('one is cloned');
    const clone = this.#add('clone', first!.agent, this.world.integer(2 ** 31));
    clone.disk.image = first!.disk.image.clone();
    Object.assign(clone.disk.mood, first!.disk.mood);
    clone.start();
  }

  /** Nothing fails any more: all of it drains, one machine of an identity after the other. */
  async #heal(): Promise<void> {
    const { world, trace, truth, machines } = this;
    this.making = false;
    goodAgain(this);
    trace.note('all is well again');
    for (const machine of machines) machine.start();
    await world.run(world.now + SETTLE_MS, this.#tooMany);
    for (const machine of machines) {
      for (const other of machines) {
        other.allowed = other.agent !== machine.agent || other === machine;
        if (!other.allowed) other.disconnected();
      }
      machine.connect();
      let drained = false;
      // An agent makes a record each minute: with it go the gaps that its outbox made by itself, and from the answer it
      // hears of a central that is another.
      for (const endMs = world.now + DRAIN_MS; !drained && world.now < endMs && !this.#tooMany(); ) {
        void this.load.document(machine, 'detail');
        drained = await world.run(world.now + MINUTE_MS, () => this.#isDrained(machine) || this.#tooMany());
      }
      if (!drained) truth.problem(`${machine.name} does not drain: ${JSON.stringify(machine.running?.outbox.stats())}`);
      await world.run(world.now + SETTLE_MS, this.#tooMany);
    }
  }

  /** The central's hourly work, which ends what lay in the memory of processes that are gone: by an hour of silence. */
  async #maintain(): Promise<void> {
    const { world, central, machines } = this;
    for (const machine of machines.filter(({ allowed }) => allowed)) {
      const rows = await central.store.ledger(machine.agent);
      if (!rows.some(({ volatile, pending }) => volatile && pending > 0)) continue;
      await world.run(world.now + HOUR_MS, this.#tooMany);
      void this.load.document(machine, 'detail');
      await world.run(world.now + SETTLE_MS, this.#tooMany);
    }
    await central.store.maintain(world.clock.wallMs(), new AbortController().signal);
  }

  #isDrained({ running }: SimMachine): boolean {
    if (running === null) return false;
    const { outbox, publisher } = running;
    const { pendingRecords, failing } = outbox.stats();
    return pendingRecords === 0 && failing === null && publisher.incarnation === this.central.incarnation;
  }
}

export function simulate(seed: number, keepTrace = false): Promise<Outcome> {
  return new World(seed, keepTrace).run(seed);
}
