/** What must hold when a run is over, everything works again and has drained. */
import type { LedgerRow } from '../../../central/store/store.ts';
import { contains, countSeqs, type SeqRanges, subtract } from '../../../shared/wire/ranges.ts';
import { bytesOf, textOf } from './image.ts';
import type { FaultKind } from './plan.ts';
import { type EpochTruth, nameOf } from './truth.ts';
import type { World } from './world.ts';

/** Kinds of records on the wire (edge.proto). */
const TABLE = 1;
const GAP = 7;

/** Faults after which records may be lost for each cause that a gap says. */
const damage: readonly FaultKind[] = [
  'flips',
  'drops',
  'movedAside',
  'readErrors',
  'wiped',
  'rolledBack',
  'clone',
  'full',
  'gone',
  'writeErrors',
  'landedErrors',
  'openErrors',
  'startsBlind',
];
const allowedCauses: Readonly<Record<string, readonly FaultKind[]>> = {
  overflow: ['smallDisk'],
  corrupt: damage,
};

export async function judge(all: World): Promise<void> {
  const { truth, central, machines } = all;
  for (const agent of new Set(machines.map((machine) => machine.agent))) {
    const rows = new Map((await central.store.ledger(agent)).map((row) => [row.epoch, row]));
    const { problems } = await central.store.verifyLedger(agent);
    if (problems.length > 0) truth.problem(`${agent}: counted again the ledger differs: ${problems.join('; ')}`);
    await judgeIdentity(all, agent);
    for (const row of rows.values()) {
      const { made, committed, quarantined, lost, pending } = row;
      if (made !== committed + quarantined + lost + pending) {
        truth.problem(`${agent} ${row.epoch.slice(0, 8)}: the ledger does not add up: ${JSON.stringify(row)}`);
      }
      if (!truth.epochs.has(row.epoch)) truth.problem(`${agent}: the ledger knows ${row.epoch}, which nobody made`);
    }
    for (const epoch of truth.epochs.values()) {
      if (epoch.agent !== agent) continue;
      const settled = await central.store.settled(agent, epoch.epoch);
      judgeEpoch(all, epoch, settled);
      judgeRow(all, epoch, settled, rows.get(epoch.epoch));
    }
    await judgeQuarantine(all, agent);
    await judgeEvents(all, agent);
  }
  for (const { running, name, agent } of machines) {
    for (const { epoch, held } of running?.outbox.epochs() ?? []) {
      const missing = subtract(held, await central.store.settled(agent, epoch));
      if (missing.length > 0) truth.problem(`${name} holds ${epoch.slice(0, 8)}/${missing}, which the central lacks`);
    }
  }
}

/** Each seq is stored, or named by a gap for a cause that there was, or damage took it. */
function judgeEpoch(all: World, epoch: EpochTruth, settled: SeqRanges): void {
  const { truth, plan, central } = all;
  for (const [seq, payloads] of epoch.payloads) {
    const stored = truth.stored.get(`${epoch.epoch}/${seq}`);
    if (contains(settled, seq) !== (stored !== undefined))
      truth.problem(`${nameOf(epoch, seq)} is settled and not stored`);
    if (stored !== undefined && !payloads.includes(stored)) truth.problem(`${nameOf(epoch, seq)} is not what was made`);
  }
  for (let seq = 1; seq <= epoch.highestSeq; seq++) {
    if (contains(settled, seq)) continue;
    const causes = [...epoch.named].flatMap(([cause, ranges]) => (contains(ranges, seq) ? [cause] : []));
    const wasCommitted = central.setBack && contains(epoch.committed, seq);
    if (wasCommitted || contains(epoch.excused, seq)) continue;
    if (causes.length === 0) truth.problem(`${nameOf(epoch, seq)} is neither stored nor named as lost`);
    else if (!causes.some((cause) => mayBe(all, epoch, seq, cause))) {
      truth.problem(`${nameOf(epoch, seq)} is lost for ${causes}, and there was none: ${[...plan.has].join(' ')}`);
    }
  }
}

function mayBe({ plan }: World, epoch: EpochTruth, seq: number, cause: string): boolean {
  if (allowedCauses[cause]?.some((kind) => plan.has.has(kind))) return true;
  // The seq of a gap that another one replaced.
  const payloads = epoch.payloads.get(seq) ?? [];
  if (payloads.length > 0 && payloads.every(isGap)) return true;
  if (cause !== 'refused') return false;
  // Nobody takes it; or its table is lost; or it is a table that this central dropped by lot, nine times in a row.
  return (
    payloads.some((payload) => payload.includes('"content":"unanswered"')) ||
    damage.some((kind) => plan.has.has(kind)) ||
    (plan.has.has('tablesLost') && payloads.length > 0 && payloads.every((payload) => kindOf(payload) === TABLE))
  );
}

const isGap = (payload: string): boolean => kindOf(payload) === GAP;

/** Record.kind is its first field (edge.proto): number 1, varint. */
function kindOf(payload: string): number | null {
  const bytes = bytesOf(payload);
  return bytes[0] === 8 ? (bytes[1] ?? null) : null;
}

function judgeRow(all: World, epoch: EpochTruth, settled: SeqRanges, row: LedgerRow | undefined): void {
  const { truth, central } = all;
  if (row === undefined) {
    // Nothing of it ever arrived, and nothing may have to.
    const open = subtract([[1, epoch.highestSeq]], epoch.excused);
    if (open.length > 0 && !central.setBack) truth.problem(`${nameOf(epoch, 0)} is in no ledger`);
    return;
  }
  const say = (what: string): void => truth.problem(`${nameOf(epoch, 0)}: ${what}: ${JSON.stringify(row)}`);
  if (row.committed + row.quarantined !== countSeqs(settled)) say('committed is not what is stored');
  if (row.start > 0 && row.volatile !== (epoch.volatile !== null)) say('volatile is not what it is');
  if (row.volatile && row.pending !== 0) say('of what a process held in memory something is pending for ever');
  if (epoch.excused.length > 0 || central.setBack) return;
  if (row.made !== epoch.highestSeq) say(`made is not ${epoch.highestSeq}`);
  if (row.pending !== 0) say('something is pending for ever');
  if (row.lostByCause.unnamed !== undefined) say('something is lost and no gap names it');
}

/** One machine on one disk that keeps what it was given is no clone of anybody. */
async function judgeIdentity({ truth, central, plan }: World, agent: string): Promise<void> {
  if (plan.has.has('twin') || damage.some((kind) => plan.has.has(kind))) return;
  for (const finding of await central.store.identity(agent)) {
    truth.problem(`${agent} is said to be ${finding.kind}: ${JSON.stringify(finding)}`);
  }
}

async function judgeQuarantine({ truth, central }: World, agent: string): Promise<void> {
  for (const { epoch: id, seq, record } of await central.store.quarantine(agent)) {
    const epoch = truth.of(agent, id);
    const bytes = textOf(record);
    if (!epoch.payloads.get(seq)?.includes(bytes))
      truth.problem(`${nameOf(epoch, seq)} is in quarantine as nobody made it`);
    const planted = !bytes.includes('"content":"good"') || truth.twins;
    if (bytes.includes('"content":') && !planted) truth.problem(`${nameOf(epoch, seq)} is good and in quarantine`);
  }
}

/** Each event has a text of its own: it is in the history once. */
async function judgeEvents({ truth, central }: World, agent: string): Promise<void> {
  const events = await central.store.events(agent, { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER }, 1_000_000);
  const seen = new Set<string>();
  for (const { to } of events) {
    if (seen.has(to)) truth.problem(`${agent}: event ${to} is in the history twice`);
    seen.add(to);
  }
}
