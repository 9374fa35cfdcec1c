/** Which minutes of each day are covered, which are missing, and why: a strip a day, and the same in numbers. */
import type { CoverageDay, CoverageSpan, MissingCause } from '../../store/store.ts';
import { counted, formatCount, formatShare } from '../format.ts';
import { DAY_MS, formatDay, formatMinute, MINUTE_MS } from '../time.ts';

/** What a cause is called, what it means, and in which colour it is shown. */
const causes: Readonly<Record<MissingCause, readonly [name: string, meaning: string, look: string]>> = {
  power_cut: ['power cut', 'the machine went off without a word and started again', 'power'],
  crash: ['crash', 'the agent ended without a word and started again, the machine went on', 'crash'],
  stopped: ['stopped', 'the agent or the machine was stopped in order', 'stopped'],
  overflow: ['overflow', 'the machine’s outbox was full before the central could be reached', 'gone'],
  disk_full: ['disk full', 'the machine’s disk was full', 'gone'],
  purged: ['purged', 'somebody emptied the machine’s outbox', 'gone'],
  expired: ['expired', 'kept for as long as it was to be', 'gone'],
  corrupt: ['corrupt', 'damaged on the machine’s disk', 'damaged'],
  refused: ['refused', 'the central did not answer for these records, and they were set aside', 'damaged'],
  volatile: ['disk failing', 'kept in memory alone while the machine’s disk failed', 'damaged'],
  other: ['other', 'a cause that this version does not know', 'gone'],
  clock: ['clock uncertain', 'the only records near have a guessed time', 'unsure'],
  unknown: ['unknown', 'nothing says why', 'unsure'],
};

const HOURS = [0, 6, 12, 18, 24] as const;

export function nameOfCause(cause: string): string {
  return (causes as Readonly<Record<string, readonly string[]>>)[cause]?.[0] ?? cause.replaceAll('_', ' ');
}

export function Coverage({ days }: { readonly days: readonly CoverageDay[] }) {
  const sorted = [...days].sort((a, b) => b.dayMs - a.dayMs);
  const seen = new Set(days.flatMap(({ missingByCause }) => Object.keys(missingByCause) as MissingCause[]));
  const holes = sorted.flatMap(({ spans }) => [...spans].reverse().filter(({ state }) => state === 'missing'));
  return (
    <section data-role="coverage">
      <h2>Minutes covered</h2>
      {sorted.length === 0 ? (
        <p class="faint">No minute has come yet.</p>
      ) : (
        <>
          <div class="scroll-x">
            <table class="plain coverage">
              <thead>
                <tr>
                  <th>Day (UTC)</th>
                  <th class="strip-head" aria-label="The day from 0 to 24 hours">
                    <span class="hours" aria-hidden="true">
                      {HOURS.map((hour) => (
                        <span key={hour}>{hour}</span>
                      ))}
                    </span>
                  </th>
                  <th class="numeric">Covered</th>
                  <th>Missing</th>
                </tr>
              </thead>
              <tbody>
                {sorted.map((day) => (
                  <Day key={day.dayMs} day={day} />
                ))}
              </tbody>
            </table>
          </div>
          <ul class="legend" aria-label="Colours">
            <li>
              <i class="swatch covered" aria-hidden="true" /> covered
            </li>
            <li>
              <i class="swatch pending" aria-hidden="true" /> pending: may still come
            </li>
            {[...seen].map((cause) => (
              <li key={cause}>
                <i class={`swatch missing ${causes[cause][2]}`} aria-hidden="true" /> {causes[cause][0]}:{' '}
                <span class="faint">{causes[cause][1]}</span>
              </li>
            ))}
          </ul>
          {holes.length > 0 && <Holes holes={holes} />}
        </>
      )}
    </section>
  );
}

function Day({ day }: { readonly day: CoverageDay }) {
  const { dayMs, covered, uncertain = 0, pending, missing, missingByCause, spans } = day;
  const all = Math.max(1, covered + pending + missing);
  return (
    <tr>
      <th scope="row" class="day">
        {formatDay(dayMs, 'UTC')}
      </th>
      <td class="strip-cell">
        <span class="strip" aria-hidden="true">
          {spans.map((span) => (
            <Piece key={span.fromMs} span={span} dayMs={dayMs} />
          ))}
        </span>
      </td>
      <td class="numeric">{formatShare(covered / all)}</td>
      <td>
        {missing === 0 && pending === 0 && uncertain === 0 && <span class="faint">none</span>}
        {Object.entries(missingByCause).map(([cause, minutes]) => (
          <span key={cause} class="missing-cause">
            {nameOfCause(cause)} {formatCount(minutes)} min
          </span>
        ))}
        {uncertain > 0 && <span class="faint">{formatCount(uncertain)} min covered at a guessed time </span>}
        {pending > 0 && <span class="faint">{formatCount(pending)} min pending</span>}
      </td>
    </tr>
  );
}

function Piece({ span, dayMs }: { readonly span: CoverageSpan; readonly dayMs: number }) {
  const { fromMs, toMs, state, cause } = span;
  const percent = (ms: number): string => `${(100 * ms) / DAY_MS}%`;
  return (
    <i
      class={cause === null ? state : `${state} ${causes[cause][2]}`}
      style={{ left: percent(fromMs - dayMs), width: percent(toMs - fromMs) }}
      title={`${between(span)} ${cause === null ? state : nameOfCause(cause)}${span.uncertain ? ', at a guessed time' : ''}`}
    />
  );
}

/** The same as the strips, to be read. */
function Holes({ holes }: { readonly holes: readonly CoverageSpan[] }) {
  const shown = holes.slice(0, 200);
  return (
    <details>
      <summary>{counted(holes.length, 'hole')} one by one</summary>
      <div class="scroll-x">
        <table class="plain">
          <thead>
            <tr>
              <th>Day (UTC)</th>
              <th>Time</th>
              <th class="numeric">Minutes</th>
              <th>Cause</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((span) => (
              <tr key={span.fromMs}>
                <td>{formatDay(span.fromMs, 'UTC')}</td>
                <td>{between(span)}</td>
                <td class="numeric">{formatCount((span.toMs - span.fromMs) / MINUTE_MS)}</td>
                <td>{nameOfCause(span.cause ?? 'unknown')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < holes.length && <p class="hint">and {formatCount(holes.length - shown.length)} older ones</p>}
    </details>
  );
}

function between({ fromMs, toMs }: CoverageSpan): string {
  return `${formatMinute(fromMs, 'UTC')}–${toMs % DAY_MS === 0 ? '24:00' : formatMinute(toMs, 'UTC')}`;
}
