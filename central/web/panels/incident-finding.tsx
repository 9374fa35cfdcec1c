/** One finding of an incident: the series, what was seen and expected, how rare, since when, and what its kind adds. */
import type { ComponentChildren } from 'preact';
import type { StoredIncident } from '../../store/store.ts';
import { Moment } from '../components/parts.tsx';
import { formatRange, formatShare, formatValue } from '../format.ts';
import { metricTitle, quietAttributes, valueWords } from '../metrics/titles.ts';
import { formatRarity, formatSpan } from '../time.ts';

type Finding = StoredIncident['findings'][number];

interface Props {
  readonly finding: Finding;
  /** When the incident's first finding began. */
  readonly firstMs: number;
  readonly onSeries: (id: string) => void;
}

const shapeWords: Readonly<Record<NonNullable<Finding['shape']>, string>> = {
  spike: 'a spike',
  shift: 'moved to another level',
  drift: 'drifts away',
  variance: 'unusually unsteady',
  season: 'unusual for this time',
};

/** Detectors that say more than that a value is unusual. */
const detectorWords: Readonly<Record<string, string>> = {
  missing: 'no value',
  stuck: 'stuck',
  saturated: 'at the limit',
  late: 'late',
  range: 'out of its physical range',
  quantised: 'coarser than before',
  noisy: 'noisier than before',
  disagree: 'disagrees with its twin',
  clock: 'clock jumped',
};

/** Later than the first by less than this is at the same time. */
const SAME_MS = 1_000;

export function FindingRow({ finding, firstMs, onSeries }: Props) {
  const { key, seen, expectedLow, expectedHigh, limit, wrong, advice, members, forecast, ended, muted } = finding;
  const behindMs = finding.sinceMs - firstMs;
  return (
    <li class={ended === true ? 'ended' : ''}>
      <button type="button" class="finding-name" title={finding.text} onClick={() => onSeries(finding.series)}>
        {nameOf(key)}
      </button>
      <span class="seen">
        {seen !== null && formatValue(seen, key.unit)} {detectorWords[finding.detector] ?? ''}
      </span>
      <span class="wanted">
        {limit !== undefined
          ? `limit ${formatValue(limit, key.unit)}`
          : expectedLow !== null &&
            expectedHigh !== null &&
            `expected ${formatRange(expectedLow, expectedHigh, key.unit)}`}
        {finding.shape !== undefined && <span class="shape">, {shapeWords[finding.shape]}</span>}
      </span>
      <span class="share" title={`explains ${formatShare(finding.contribution)} of it`}>
        <span class="track" aria-hidden="true">
          <i style={{ width: `${Math.round(Math.min(1, finding.contribution) * 100)}%` }} />
        </span>
        <span class="number">{formatShare(finding.contribution)}</span>
      </span>
      <span class="since">
        since <Moment ms={finding.sinceMs} />
        {finding.lastMs > finding.sinceMs && `, ${formatSpan(finding.lastMs - finding.sinceMs)}`}
        {behindMs >= SAME_MS && <span class="behind"> ({formatSpan(behindMs)} after the first)</span>}
      </span>
      <span class="rarity">
        {finding.bits > 0 && formatRarity(finding.returnPeriodMs)}
        {ended === true && <span class="over"> over</span>}
        {muted === true && <span class="over"> muted</span>}
      </span>
      {wrong !== undefined && <Aside about="wrong">{sentence(wrong)}</Aside>}
      {forecast !== undefined && <ForecastLine finding={finding} forecast={forecast} />}
      {advice !== undefined && advice !== '' && <Aside about="advice">{advice}</Aside>}
      {members !== undefined && members.length > 0 && <Members members={members} onSeries={onSeries} />}
    </li>
  );
}

function Aside({ about, children }: { readonly about: string; readonly children: ComponentChildren }) {
  return (
    <p class="aside" data-role={about}>
      {children}
    </p>
  );
}

function sentence(words: string): string {
  return `${words[0]?.toUpperCase() ?? ''}${words.slice(1)}`;
}

const reachWords = { full: 'Full', empty: 'Empty', expired: 'Ends', worn: 'Worn out' } as const;

function ForecastLine({
  finding,
  forecast,
}: {
  readonly finding: Finding;
  readonly forecast: NonNullable<Finding['forecast']>;
}) {
  const { etaMs, earliestMs, latestMs, pace, undated } = forecast;
  const ahead = (ms: number): string => formatSpan(Math.max(0, ms - finding.lastMs));
  return (
    <Aside about="forecast">
      {reachWords[forecast.reaches]} in <b>{ahead(etaMs)}</b>
      {undated !== true && (
        <>
          , <Moment ms={etaMs} />
        </>
      )}
      {earliestMs !== null && ` (${ahead(earliestMs)} to ${latestMs === null ? 'much later' : ahead(latestMs)})`}
      {pace !== undefined && `, at ${pace}`}
    </Aside>
  );
}

function Members({
  members,
  onSeries,
}: {
  readonly members: NonNullable<Finding['members']>;
  readonly onSeries: (id: string) => void;
}) {
  return (
    <ul class="members" aria-label="What each series has to do with it">
      {members.map(({ series, key, share, seen, expectedLow, expectedHigh }) => (
        <li key={series}>
          <span class="number">{formatShare(share)}</span>
          <button type="button" class="finding-name" onClick={() => onSeries(series)}>
            {nameOf(key)}
          </button>
          <span>{seen !== null && formatValue(seen, key.unit)}</span>
          <span class="faint">
            {expectedLow !== null &&
              expectedHigh !== null &&
              `expected ${formatRange(expectedLow, expectedHigh, key.unit)}`}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** `Throughput: read, vda`: the chart's title and what tells this line from others. */
function nameOf(key: Finding['key']): string {
  const title = metricTitle(key);
  const values = Object.entries(key.attributes)
    .filter(([name]) => !quietAttributes.has(name))
    .map(([name, value]) => (name === 'cpu.logical_number' ? `core ${value}` : (valueWords[value] ?? value)));
  return values.length === 0 ? title : `${title}: ${values.join(', ')}`;
}
