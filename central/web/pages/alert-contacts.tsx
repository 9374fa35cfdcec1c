/** Which machines are overdue, when they were last heard of, and what is expected of them and why. */
import { useState } from 'preact/hooks';
import type { Contact } from '../../alerts/api.ts';
import { Ago, Failure, Skeleton } from '../components/parts.tsx';
import { counted, formatCount } from '../format.ts';
import { refine } from '../router.ts';
import { formatSpan } from '../time.ts';

/** Lines at first: a fleet may have thousands. */
const FIRST_SHOWN = 50;

interface Props {
  readonly contacts: readonly Contact[] | undefined;
  readonly error: unknown;
  readonly onRetry: () => void;
  /** Whether all machines are listed. */
  readonly all: boolean;
  readonly now: number;
}

export function AlertContacts({ contacts, error, onRetry, all, now }: Props) {
  const [shown, setShown] = useState(FIRST_SHOWN);
  const sorted = [...(contacts ?? [])].sort(
    (a, b) => (b.overdueMs ?? -1) - (a.overdueMs ?? -1) || a.lastSeenMs - b.lastSeenMs || (a.name < b.name ? -1 : 1),
  );
  const overdue = sorted.filter(({ overdueMs }) => overdueMs !== null).length;
  return (
    <section class="card" data-role="contacts">
      <div class="head">
        <h2>
          {contacts === undefined
            ? 'Overdue'
            : overdue === 0
              ? 'No machine is overdue'
              : `${counted(overdue, 'machine')} overdue`}
        </h2>
        <button type="button" class="link" onClick={() => refine({ machines: all ? null : 'all' })}>
          {all ? 'Only those' : 'What is expected of all'}
        </button>
      </div>
      {error !== undefined && contacts === undefined && <Failure error={error} onRetry={onRetry} />}
      {error === undefined && contacts === undefined && <Skeleton lines={2} label="Loading who is overdue" />}
      {sorted.length > 0 && (
        <ul class="contacts">
          {sorted.slice(0, shown).map((contact) => (
            <ContactLine key={contact.agent} contact={contact} now={now} />
          ))}
        </ul>
      )}
      {sorted.length > shown && (
        <button type="button" class="link" onClick={() => setShown(sorted.length)}>
          Show all {formatCount(sorted.length)}
        </button>
      )}
    </section>
  );
}

function ContactLine({ contact, now }: { readonly contact: Contact; readonly now: number }) {
  const { agent, name, site, lastSeenMs, overdueMs } = contact;
  return (
    <li class={overdueMs === null ? '' : 'overdue'}>
      <span class="name">
        <a href={`/machine/${agent}`}>{name}</a> {site !== '' && <span class="faint">{site}</span>}
      </span>
      <span>
        heard <Ago ms={lastSeenMs} now={now} />
      </span>
      <span>{overdueMs === null ? '' : <b class="late">overdue for {formatSpan(overdueMs)}</b>}</span>
      <span class="faint">{expected(contact)}</span>
    </li>
  );
}

function expected({ why, usualMs, overdueAfterMs }: Contact): string {
  const after = overdueAfterMs === null ? '' : `, overdue after ${formatSpan(overdueAfterMs)}`;
  switch (why) {
    case 'never':
      return 'may be silent, by configuration';
    case 'by hand':
      return 'is brought by hand, never overdue';
    case 'configured':
      return `to call each ${formatSpan(usualMs ?? 0)}, by configuration${after}`;
    case 'learned':
      return `usually calls each ${formatSpan(usualMs ?? 0)}${after}`;
    case 'always':
      return `always connected${after}`;
  }
}
