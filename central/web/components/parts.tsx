/** Small things that several pages show. */
import type { ComponentChildren } from 'preact';
import { nowMs, wordsOf } from '../api.ts';
import { formatPercent, formatShare } from '../format.ts';
import type { Presence, Severity } from '../states.ts';
import { formatAgo, formatMoment } from '../time.ts';
import { useZone } from './zone.ts';

export function State({ presence }: { readonly presence: Presence }) {
  return (
    <span class={`state ${presence}`}>
      <i aria-hidden="true" />
      {presence}
    </span>
  );
}

const severityMarks: Readonly<Record<Severity, string>> = { info: 'i', warning: '!', critical: '‼' };

export function SeverityMark({ severity }: { readonly severity: Severity }) {
  return (
    <span class={`severity ${severity}`} title={severity}>
      <span aria-hidden="true">{severityMarks[severity]}</span>
      <span class="hidden">{severity}</span>
    </span>
  );
}

/** A share of something as a bar with its number. */
export function Bar({ share, label }: { readonly share: number | null; readonly label: string }) {
  const known = share !== null;
  const level = !known ? '' : share >= 0.95 ? 'full' : share >= 0.8 ? 'high' : '';
  return (
    <span class={`meter ${level}`} title={`${label}: ${formatShare(share)}`}>
      <span class="track" aria-hidden="true">
        {known && <i style={{ width: `${Math.min(100, Math.max(0, share * 100))}%` }} />}
      </span>
      <span class="number">{formatPercent(share)}</span>
    </span>
  );
}

/** A time, with how long ago it was on pointing at it. */
export function Moment({ ms }: { readonly ms: number }) {
  const zone = useZone();
  return (
    <time dateTime={new Date(ms).toISOString()} title={formatAgo(ms, nowMs())}>
      {formatMoment(ms, zone, nowMs())}
    </time>
  );
}

/** Before a time that is a guess. */
export function About() {
  return (
    <abbr
      class="faint"
      title="The machine did not know the time and was not heard while it ran: this lies between what is known."
    >
      about{' '}
    </abbr>
  );
}

export function Ago({ ms, now }: { readonly ms: number | null; readonly now: number }) {
  const zone = useZone();
  if (ms === null) return <span class="faint">never</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={formatMoment(ms, zone, now)}>
      {formatAgo(ms, now)}
    </time>
  );
}

export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  return (
    <div class="failure" role="alert">
      <p>{wordsOf(error)}</p>
      <button type="button" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}

export function Skeleton({ lines, label }: { readonly lines: number; readonly label: string }) {
  return (
    <div class="skeletons" role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, i) => (
        <div key={i} class="skeleton" />
      ))}
    </div>
  );
}

export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** A definition list in columns. */
export function Facts({ facts }: { readonly facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
