/** A message in words: the subject that stays the same through a thread, and the text. Pure. */
import { describeSpan } from '../../shared/detect/wording.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import type { Change, Item, Message } from './due.ts';
import type { Thread } from './thread.ts';

/** What the words need of the fleet. */
export interface Naming {
  /** Name of an agent; its id where it is not known. */
  readonly nameOf: (agent: string) => string;
  /** Where the pages are served, without a slash at the end. */
  readonly url: string;
}

export interface Wording {
  /** The same through a thread, so that mail programs keep it together. */
  readonly subject: string;
  /** One line: what has happened, and where. */
  readonly headline: string;
  /** That, and what it is: for chats and logs. */
  readonly oneLine: string;
  readonly text: string;
  /** Stable over retries. */
  readonly id: string;
  /** Ids of the messages before it in its thread, the first one first; at most two. */
  readonly references: readonly string[];
}

const SUBJECT_CHARACTERS = 60;
/** Threads that a digest lists in words. */
const LISTED = 50;
const LISTED_TITLE = 160;

/** @param dropped messages to this target that were given up since the last one that reached it */
export function wordsOf(message: Message, target: string, naming: Naming, nowMs: number, dropped = 0): Wording {
  const lost =
    dropped === 0
      ? ''
      : `\n\n${dropped} earlier ${dropped === 1 ? 'message' : 'messages'} to this target could not be delivered and were given up.`;
  const [first] = message.items;
  const words = message.kind === 'one' && first !== undefined ? oneOf(first, naming, nowMs) : manyOf(message, naming);
  const what = message.kind === 'one' && first !== undefined ? whatOf(first.thread) : '';
  const foot = `\n\n-- \nPicket central, ${naming.url}`;
  return {
    ...words,
    oneLine: `${words.headline}${what}`,
    text: `${words.headline}\n\n${words.text}${lost}${foot}`,
    ...idsOf(message, target),
  };
}

/** Where to look: the incident on the page of its machine. */
export function linkOf(thread: Thread, url: string): string {
  if (thread.agent === null) return `${url}/`;
  const latest = thread.kind === 'incident' ? thread.episodes.at(-1)?.id.replace('/', '-') : undefined;
  return `${url}/machine/${thread.agent}${latest === undefined ? '' : `?incident=${latest}`}`;
}

/** `pump-7 (Hall 3)` */
export function placeOf(thread: Thread, { nameOf }: Naming): string {
  if (thread.agent === null) return thread.site === '' ? 'the fleet' : thread.site;
  return thread.site === '' ? nameOf(thread.agent) : `${nameOf(thread.agent)} (${thread.site})`;
}

/** `2026-11-23 14:02:10 UTC` */
export function moment(ms: number): string {
  // What is no time at all must not keep the message from being sent.
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return 'an unknown time';
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Of a silence the headline says all but since when. */
function whatOf({ kind, state, subject, title }: Thread): string {
  if (kind === 'incident' || kind === 'broker') return `: ${subject}`;
  return state === 'open' ? `: ${title}` : '';
}

const changeWords: Readonly<Record<Change, string>> = {
  opened: 'Opened',
  worsened: 'Worse',
  again: 'Again',
  closed: 'Closed',
  was: 'Came and went',
};

function headlineOf({ thread, change }: Item, naming: Naming): string {
  const place = placeOf(thread, naming);
  const span = describeSpan(Math.max(0, (thread.closedMs ?? 0) - thread.openedMs));
  const silence = thread.kind === 'silent' || thread.kind === 'site' || thread.kind === 'fleet';
  if (change === 'closed') return `${silence ? 'Heard again' : 'Closed'} after ${span}: ${place}`;
  if (change === 'was')
    return `${silence ? 'Was silent for' : 'Came and went within'} ${span}: ${thread.severity}, ${place}`;
  if (!silence || change === 'worsened') return `${changeWords[change]}: ${thread.severity}, ${place}`;
  const word = thread.kind === 'silent' ? 'Overdue' : 'Silent';
  return `${word}${change === 'again' ? ' again' : ''}: ${thread.severity}, ${place}`;
}

function oneOf(item: Item, naming: Naming, nowMs: number): Pick<Wording, 'subject' | 'headline' | 'text'> {
  const { thread, change } = item;
  const parts = [thread.title];
  const lines = thread.lines.filter((line) => line !== thread.title);
  if (lines.length > 0) {
    const head = thread.kind === 'incident' ? 'What was found, the most telling first:\n' : '';
    parts.push(
      `${head}${thread.lines.map((line, i) => `${thread.kind === 'incident' ? `${i + 1}. ` : ''}${line}`).join('\n')}`,
    );
    const more = thread.series - thread.lines.length;
    if (more > 0 && thread.kind === 'incident') parts.push(`And ${more} more.`);
  }
  if (thread.changes.length > 0)
    parts.push(`What changed before:\n${thread.changes.map((line) => `- ${line}`).join('\n')}`);
  const times = [`Since ${moment(thread.openedMs)}`];
  if (thread.closedMs !== null) times.push(`until ${moment(thread.closedMs)}`);
  else times.push(`for ${describeSpan(Math.max(0, nowMs - thread.openedMs))} now`);
  parts.push(`${times.join(', ')}.`);
  if (thread.count > 1) {
    parts.push(`It has come ${thread.count} times by now; while it comes and goes, less is said of it.`);
  }
  parts.push(linkOf(thread, naming.url));
  const subject = `[Picket] ${thread.agent === null ? placeOf(thread, naming) : naming.nameOf(thread.agent)}: ${thread.subject}`;
  return {
    subject: oneLine(subject, SUBJECT_CHARACTERS + 40),
    headline: headlineOf({ thread, change }, naming),
    text: parts.join('\n\n'),
  };
}

function manyOf({ kind, items }: Message, naming: Naming): Pick<Wording, 'subject' | 'headline' | 'text'> {
  const first = items[0]?.thread;
  const count = items.length;
  const place = first?.agent == null ? '' : naming.nameOf(first.agent);
  const open = items.filter(({ thread }) => thread.state === 'open').length;
  const list = items.slice(0, LISTED).map(({ thread, change }) => listedOf(thread, change, kind, naming));
  const more = count - list.length;
  const text = `${list.join('\n')}${more > 0 ? `\nand ${more} more, see ${naming.url}/` : ''}`;
  if (kind === 'late') {
    const still = open === 0 ? '' : `; ${open} may last still`;
    const headline = `While ${place} was offline: ${counted(count, 'incident')}${still}`;
    return { subject: `[Picket] ${place}: while it was offline`, headline, text };
  }
  const change = items[0]?.change ?? 'was';
  if (items.every(({ thread }) => thread.kind === 'silent') && change !== 'was') {
    const headline = `${counted(count, 'machine')} ${change === 'closed' ? 'heard again' : 'overdue'}`;
    return { subject: `[Picket] digest: ${change === 'closed' ? 'heard again' : 'overdue'}`, headline, text };
  }
  if (change === 'closed') {
    return { subject: '[Picket] digest: closed', headline: `${counted(count, 'trouble')} closed`, text };
  }
  if (change === 'was') {
    const headline = `${counted(count, 'trouble')} came and went before you could be told`;
    return { subject: '[Picket] digest: came and went', headline, text };
  }
  return { subject: '[Picket] digest: open', headline: `${counted(count, 'trouble')} at once`, text };
}

function listedOf(thread: Thread, change: Change, kind: Message['kind'], naming: Naming): string {
  const until =
    thread.closedMs === null ? (kind === 'late' ? 'open when last heard' : 'open') : `until ${moment(thread.closedMs)}`;
  const place = kind === 'late' ? '' : `${placeOf(thread, naming)}: `;
  const what = kind === 'late' || change === 'was' ? '' : `${changeWords[change]}: `;
  return `- ${what}${place}${oneLine(thread.title, LISTED_TITLE)} [${thread.severity}, since ${moment(thread.openedMs)}, ${until}]`;
}

/** The part of a title that names it: up to the first comma or semicolon. */
export function shortTitle(title: string): string {
  return oneLine(/^[^,;]*/.exec(title)?.[0] ?? '', SUBJECT_CHARACTERS) || 'trouble';
}

/** On one line, and no longer. */
export function oneLine(text: string, most: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what an agent says must not become a header
  const line = text.replace(/[\u0000-\u001f\u007f\s]+/g, ' ').trim();
  return line.length > most ? `${line.slice(0, most - 1).trimEnd()}…` : line;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function idsOf({ kind, items }: Message, target: string): Pick<Wording, 'id' | 'references'> {
  const hash = (text: string): string => sha256Hex(Buffer.from(text)).slice(0, 24);
  const [first] = items;
  if (kind !== 'one' || first === undefined) {
    const what = items
      .map(({ thread, change }) => `${thread.key} ${change} ${thread.told[target]?.messages ?? 0}`)
      .join('\n');
    return { id: `${hash(`${target}\n${what}`)}.d`, references: [] };
  }
  const base = hash(`${target}\n${first.thread.key}`);
  const before = first.thread.told[target]?.messages ?? 0;
  const references = before === 0 ? [] : before === 1 ? [`${base}.1`] : [`${base}.1`, `${base}.${before}`];
  return { id: `${base}.${before + 1}`, references };
}
