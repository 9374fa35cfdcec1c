/**
 * Who is overdue, and what that comes to: one machine, a whole site, or most of the fleet at once. Pure: from what is
 * known of the agents to what is the case now.
 */
import { describeSpan } from '../../shared/detect/wording.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import type { Contact, Expectation } from './api.ts';
import type { AlertsConfig } from './config.ts';
import { type Habit, usualGapMs } from './habit.ts';
import { type Deaf, listenedMs } from './listening.ts';
import { moment } from './message.ts';
import type { Condition } from './threads.ts';

interface Machine {
  readonly id: string;
  readonly name: string;
  readonly site: string;
  readonly lastSeenMs: number | null;
  readonly presence: 'online' | 'offline' | 'unknown';
}

/** A silence that is usual may last half as long again, and a little. */
const PATIENCE = 1.5;
const PATIENCE_MS = 5 * MINUTE_MS;
/** Its connection is a sign of life, though it says nothing: one with a small budget may have little to say. */
const CONNECTED = 3;
/** Of a site: at least two, and four of five; it is over when half of them are heard again. */
const SITE_LEAST = 2;
const SITE_SHARE = 0.8;
const SITE_SHARE_STAYS = 0.5;
/** Of the fleet: at least five, and half of those that should be heard, silent since the same two minutes. */
const FLEET_LEAST = 5;
const FLEET_SHARE = 0.5;
const FLEET_SHARE_STAYS = 0.25;
const TOGETHER_MS = 2 * MINUTE_MS;
/** Those that are expected much more seldom say nothing yet of what the others' silence is. */
const COMPARABLE = 3;
/** Times `gather` that the first of several is held back at most. */
const FOLLOW = 3;
const LISTED = 20;

export function expectationOf(
  machine: Pick<Machine, 'id' | 'site' | 'lastSeenMs' | 'presence'>,
  habit: Habit | null,
  byHand: boolean,
  { after, expect }: AlertsConfig['overdue'],
): Expectation {
  const { id, site, lastSeenMs, presence } = machine;
  const said = expect.find(
    (one) =>
      (one.agents.length === 0 || one.agents.includes(id)) &&
      (one.site === undefined || one.site === site) &&
      (one.agents.length > 0 || one.site !== undefined),
  );
  if (said?.overdue === false) return { overdueAfterMs: null, usualMs: said.every ?? null, why: 'never' };
  if (said?.every !== undefined) return { overdueAfterMs: patient(said.every), usualMs: said.every, why: 'configured' };
  if (byHand) return { overdueAfterMs: null, usualMs: null, why: 'by hand' };
  const usualMs = habit === null || lastSeenMs === null ? null : usualGapMs(habit, lastSeenMs);
  const learned = usualMs === null ? 0 : patient(usualMs);
  const always = presence === 'online' ? after * CONNECTED : after;
  if (learned <= always) return { overdueAfterMs: always, usualMs, why: 'always' };
  return { overdueAfterMs: learned, usualMs, why: 'learned' };
}

/** What is to be seen of one machine; null: it was never heard of. */
export function contactOf(
  { id, name, site, lastSeenMs, presence }: Machine,
  expectation: Expectation,
  deaf: Deaf,
  nowMs: number,
): Contact | null {
  if (lastSeenMs === null) return null;
  const { overdueAfterMs } = expectation;
  const overMs = overdueAfterMs === null ? 0 : listenedMs(deaf, lastSeenMs, nowMs) - overdueAfterMs;
  const about = { agent: id, name, site, lastSeenMs, connected: presence === 'online' };
  return { ...expectation, ...about, overdueMs: overMs > 0 ? overMs : null };
}

/**
 * @param isOpen whether there is an open thread of that base: what is told goes on until it is over
 */
export function conditionsOf(
  contacts: readonly Contact[],
  { gather, severity }: Pick<AlertsConfig['overdue'], 'gather' | 'severity'>,
  isOpen: (base: string) => boolean,
  nowMs: number,
): Condition[] {
  const overdue = contacts.filter((contact) => contact.overdueMs !== null);
  const out: Condition[] = [];
  const covered = new Set<string>();
  const fleet = fleetOf(contacts, overdue, gather, isOpen, nowMs);
  if (fleet !== null) {
    out.push(fleet.condition);
    for (const { agent } of fleet.members) covered.add(agent);
  } else {
    for (const { condition, members } of sitesOf(contacts, overdue, gather, isOpen, nowMs)) {
      out.push(condition);
      for (const { agent } of members) covered.add(agent);
    }
  }
  const fresh = overdue.filter(({ agent }) => !covered.has(agent) && !isOpen(`silent:${agent}`));
  // While others follow it is waited for them, for a while: then one message can name all.
  const follow = fresh.some(({ overdueMs }) => (overdueMs ?? 0) < gather);
  const patience = follow ? gather * FOLLOW : gather;
  const told = fresh.some(({ overdueMs }) => (overdueMs ?? 0) >= patience);
  for (const contact of overdue) {
    const base = `silent:${contact.agent}`;
    const open = isOpen(base);
    if (!open && (!told || covered.has(contact.agent) || (contact.overdueMs ?? 0) < gather)) continue;
    const since = moment(contact.lastSeenMs);
    out.push({
      base,
      kind: 'silent',
      agent: contact.agent,
      site: contact.site,
      severity,
      title: `not heard of since ${since}`,
      subject: 'overdue',
      lines: [expectedWords(contact)],
      series: 1,
      sinceMs: contact.lastSeenMs,
    });
  }
  return out;
}

/** Why a machine is expected, in a sentence. */
export function expectedWords({ overdueAfterMs, usualMs, why }: Expectation): string {
  const after = overdueAfterMs === null ? '' : `overdue after ${describeSpan(overdueAfterMs)} of silence`;
  switch (why) {
    case 'never':
      return 'The configuration says that it may be silent.';
    case 'by hand':
      return 'What it has is brought by hand, so it is never overdue.';
    case 'configured':
      return `It is configured to call at least every ${describeSpan(usualMs ?? 0)}: ${after}.`;
    case 'learned':
      return `It usually calls at least every ${describeSpan(usualMs ?? 0)}: ${after}.`;
    case 'always':
      return `It is connected all the time: ${after}.`;
  }
}

function patient(usualMs: number): number {
  return usualMs * PATIENCE + PATIENCE_MS;
}

interface Group {
  readonly condition: Condition;
  readonly members: readonly Contact[];
}

function fleetOf(
  contacts: readonly Contact[],
  overdue: readonly Contact[],
  gatherMs: number,
  isOpen: (base: string) => boolean,
  nowMs: number,
): Group | null {
  const base = 'fleet:';
  const open = isOpen(base);
  const members = together(overdue);
  const expected = comparable(contacts, members, nowMs);
  const share = members.length / Math.max(1, expected.length);
  if (members.length < FLEET_LEAST || share < (open ? FLEET_SHARE_STAYS : FLEET_SHARE)) return null;
  // A site of its own is a site.
  if (!open && new Set(members.map(({ site }) => site)).size < 2 && members[0]?.site !== '') return null;
  if (!open && !gathered(members, gatherMs)) return null;
  const title = `no word from ${members.length} of ${expected.length} machines since ${sinceWords(members)}`;
  const hint = 'So many at once: look at the network, the broker and the central itself first.';
  const condition = {
    ...groupOf(members),
    base,
    kind: 'fleet' as const,
    site: '',
    title,
    subject: 'many machines are silent',
  };
  return { condition: { ...condition, lines: [hint, ...condition.lines] }, members };
}

function sitesOf(
  contacts: readonly Contact[],
  overdue: readonly Contact[],
  gatherMs: number,
  isOpen: (base: string) => boolean,
  nowMs: number,
): Group[] {
  const out: Group[] = [];
  for (const site of new Set(overdue.map((contact) => contact.site))) {
    if (site === '') continue;
    const base = `site:${site}`;
    const open = isOpen(base);
    const members = overdue.filter((contact) => contact.site === site);
    const expected = comparable(
      contacts.filter((contact) => contact.site === site),
      members,
      nowMs,
    );
    const share = members.length / Math.max(1, expected.length);
    if (share < (open ? SITE_SHARE_STAYS : SITE_SHARE) || (!open && members.length < SITE_LEAST)) continue;
    if (!open && !gathered(members, gatherMs)) continue;
    const title = `no word from ${members.length} of ${expected.length} machines of ${site} since ${sinceWords(members)}`;
    out.push({ condition: { ...groupOf(members), base, kind: 'site', site, title, subject: 'silent' }, members });
  }
  return out;
}

/** Enough time has passed for others to fall silent as well. */
function gathered(members: readonly Contact[], gatherMs: number): boolean {
  return members.some(({ overdueMs }) => (overdueMs ?? 0) >= gatherMs);
}

/** The most of them that fell silent within two minutes. */
function together(overdue: readonly Contact[]): Contact[] {
  const sorted = [...overdue].sort((a, b) => a.lastSeenMs - b.lastSeenMs);
  let best: readonly [number, number] = [0, 0];
  for (let from = 0, to = 0; from < sorted.length; from++) {
    to = Math.max(to, from);
    while (to < sorted.length && sorted[to]!.lastSeenMs - sorted[from]!.lastSeenMs <= TOGETHER_MS) to++;
    if (to - from > best[1] - best[0]) best = [from, to];
  }
  return sorted.slice(...best);
}

/** Those whose silence would be known by now, and those who were just heard. */
function comparable(contacts: readonly Contact[], members: readonly Contact[], nowMs: number): Contact[] {
  const longest = members.reduce((most, { overdueAfterMs }) => Math.max(most, overdueAfterMs ?? 0), 0);
  return contacts.filter(({ overdueAfterMs, lastSeenMs }) => {
    if (overdueAfterMs === null) return false;
    return overdueAfterMs <= longest * COMPARABLE || nowMs - lastSeenMs < longest;
  });
}

function groupOf(members: readonly Contact[]) {
  const sorted = [...members].sort((a, b) => (a.name < b.name ? -1 : 1));
  const names = sorted.slice(0, LISTED).map(({ name }) => name);
  const more = members.length - names.length;
  return {
    agent: null,
    severity: 'critical' as const,
    lines: [`${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`],
    series: members.length,
    sinceMs: Math.min(...members.map(({ lastSeenMs }) => lastSeenMs)),
  };
}

function sinceWords(members: readonly Contact[]): string {
  return moment(Math.min(...members.map(({ lastSeenMs }) => lastSeenMs)));
}
