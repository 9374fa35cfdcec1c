/** What surrounds an incident: what changed shortly before it, and whether somebody was to be told. */
import type { StoredIncident } from '../../store/store.ts';
import { Moment } from '../components/parts.tsx';
import { formatSpan } from '../time.ts';

type Change = NonNullable<StoredIncident['changes']>[number];
type Notice = NonNullable<StoredIncident['notify']>;

export function ChangesBefore({ changes, firstMs }: { readonly changes: readonly Change[]; readonly firstMs: number }) {
  if (changes.length === 0) return null;
  return (
    <section class="changes" aria-label="What changed first">
      <h3>What changed first</h3>
      <ul>
        {changes.map(({ atMs, kind, text }) => (
          <li key={`${atMs} ${text}`}>
            <span class="kind">{kind}</span>
            <span class="what">{text}</span>
            <span class="when faint">
              <Moment ms={atMs} />, {beforeWords(firstMs - atMs)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function beforeWords(beforeMs: number): string {
  return Math.abs(beforeMs) < 1000
    ? 'at the same time'
    : `${formatSpan(Math.abs(beforeMs))} ${beforeMs > 0 ? 'before' : 'after'}`;
}

const reasons: Readonly<Record<Notice['reason'], string>> = {
  budget: 'Somebody is told: paid with one notification of this machine’s share.',
  outside: 'Somebody is told: a fact and no matter of chance, which costs nothing of the budgets.',
  spent: 'Shown only: it is grave and rare enough, but this machine has no notification left this week.',
  rarity: 'Shown only: chance comes to as much too often to wake somebody for it.',
  severity: 'Shown only: nothing to get up for.',
  learning: 'Shown only: this machine is too new to wake anybody for what is merely unusual.',
  muted: 'Shown only: it is muted.',
};

export function NoticeLine({ notice }: { readonly notice: Notice }) {
  return (
    <p class={`notice-line ${notice.wakes ? 'wakes' : ''}`} data-role="notice">
      {reasons[notice.reason]}
      {notice.perWeek !== null && <span class="faint"> By chance {oftenWords(notice.perWeek)}.</span>}
    </p>
  );
}

const DAYS = 7;
const WEEKS_OF_YEAR = 52;

/** How often chance alone comes to as much. */
function oftenWords(perWeek: number): string {
  if (perWeek >= DAYS) return `${Math.round(perWeek / DAYS)} times a day`;
  if (perWeek >= 1) return `${Math.round(perWeek)} ${Math.round(perWeek) === 1 ? 'time' : 'times'} a week`;
  const weeks = 1 / perWeek;
  if (weeks < WEEKS_OF_YEAR) return `once in ${Math.round(weeks)} weeks`;
  const years = weeks / WEEKS_OF_YEAR;
  return years > 10
    ? 'less than once in 10 years'
    : `once in ${Math.round(years)} ${Math.round(years) === 1 ? 'year' : 'years'}`;
}
