/** How one version was judged: champion beside challenger in each figure, what it finds, where it is worst. */
import type { ComponentChildren } from 'preact';
import type { EvaluationReport, FaultKind, PitHistogram, ReportFigures } from '../../evaluate/api.ts';
import { get } from '../api.ts';
import { Failure, Moment, Skeleton } from '../components/parts.tsx';
import { counted, digits, formatCount, formatShare } from '../format.ts';
import { useResource } from '../resource.ts';
import { formatSpan } from '../time.ts';

const faultWords: Readonly<Record<FaultKind, string>> = {
  spike: 'spike',
  shift: 'level shift',
  drift: 'drift',
  stuck: 'stuck',
  variance: 'variance',
  season: 'broken season',
};

export function ModelReportPage({ version }: { readonly version: number }) {
  const found = useResource(`report ${version}`, (signal) =>
    get<EvaluationReport>(`/models/${version}/report`, signal),
  );
  const report = found.data;
  return (
    <div class="panel report">
      <h1>Model {version}</h1>
      {report === undefined && found.error !== undefined && <Failure error={found.error} onRetry={found.reload} />}
      {report === undefined && found.error === undefined && <Skeleton lines={8} label="Loading the report" />}
      {report !== undefined && <Report report={report} />}
    </div>
  );
}

function Report({ report }: { readonly report: EvaluationReport }) {
  const { agent, kind, madeMs, accepted, reason, championVersion, windows, series, sampled, labelled } = report;
  return (
    <>
      <p class={`notice ${accepted ? '' : 'warning'}`} data-role="verdict">
        <b>{accepted ? 'Accepted.' : 'Refused.'}</b> {reason}
      </p>
      <p class="faint">
        {kind} of <a href={`/machine/${agent}/model`}>{agent}</a>, judged <Moment ms={madeMs} />
        {championVersion !== null && (
          <>
            {' '}
            against <a href={`/models/${championVersion}`}>model {championVersion}</a>
          </>
        )}{' '}
        on {counted(windows, 'window')} of {formatCount(series)} series, from <Moment ms={report.heldOutFromMs} /> to{' '}
        <Moment ms={report.heldOutToMs} />. Of {formatCount(sampled)} of the series it was trained anew at other
        origins, and faults were put into them.
      </p>
      <Part title="Figures">
        <Figures report={report} />
      </Part>
      <Part title="Probabilities">
        <p class="hint">
          Where in what the model expected the values came to lie: even bars are right, high ends say that the band is
          too narrow, a high middle that it is too wide.
        </p>
        <div class="pits">
          <Pit name="This version" of={report.challenger.pit} />
          {report.champion !== null && <Pit name="The one before" of={report.champion.pit} />}
        </div>
      </Part>
      <Part title="Faults put into held-out time">
        <Faults report={report} />
      </Part>
      <Part title="Incidents that operators called real">
        {labelled.cases === 0 && <p class="hint">None in the time that it was trained from.</p>}
        {labelled.cases > 0 && (
          <p>
            Of {counted(labelled.cases, 'incident')} it finds {caught(labelled.challenger)}
            {labelled.champion !== null && <>; the one before finds {caught(labelled.champion)}</>}.
          </p>
        )}
      </Part>
      <Part title="Origins">
        <Origins report={report} />
      </Part>
      <Part title="Worst series">
        <Worst report={report} />
      </Part>
    </>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section class="card">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Table({ heads, children }: { readonly heads: readonly string[]; readonly children: ComponentChildren }) {
  return (
    <div class="scroll-x">
      <table class="plain figures">
        <thead>
          <tr>
            {heads.map((head, i) => (
              <th key={head} class={i === 0 ? '' : 'numeric'}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function Row({ cells }: { readonly cells: readonly ComponentChildren[] }) {
  const [name, ...values] = cells;
  return (
    <tr>
      <td>{name}</td>
      {values.map((value, i) => (
        <td key={i} class="numeric">
          {value}
        </td>
      ))}
    </tr>
  );
}

const none = <span class="faint">none</span>;

function Figures({ report }: { readonly report: EvaluationReport }) {
  const { challenger, champion, bandLevel, findingsPerDay } = report;
  const line = (name: string, value: (of: ReportFigures) => ComponentChildren) => (
    <Row cells={[name, value(challenger), champion === null ? none : value(champion)]} />
  );
  return (
    <Table heads={['', 'This version', 'The one before']}>
      {line(`in the expected band (${formatShare(bandLevel)} is meant)`, ({ coverage }) => formatShare(coverage))}
      {challenger.levels.map(({ level }, i) =>
        line(`in the interval of ${formatShare(level)}`, ({ levels }) => formatShare(levels[i]?.coverage)),
      )}
      {line('probabilities off by at most (less is better)', ({ pit }) => (pit === null ? none : digits(pit.distance)))}
      {line('loss at the band’s ends (less is better)', ({ pinball }) => digits(pinball))}
      {line(`findings a day (the budget is ${digits(findingsPerDay)})`, (of) => digits(of.findingsPerDay))}
      {line(`false incidents a week (the budget is ${digits(7 * findingsPerDay)})`, (of) =>
        digits(of.falseIncidentsPerWeek),
      )}
    </Table>
  );
}

function Pit({ name, of }: { readonly name: string; readonly of: PitHistogram | null }) {
  if (of === null) return <p class="hint">{name}: it says no probabilities.</p>;
  const most = Math.max(...of.shares, 2 / of.shares.length);
  const width = 100 / of.shares.length;
  const even = 40 - 40 / of.shares.length / most;
  return (
    <figure>
      <svg
        viewBox="0 0 100 40"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${name}: off by at most ${digits(of.distance)}`}
      >
        {of.shares.map((share, i) => (
          <rect
            key={width * i}
            x={i * width + 0.3}
            width={width - 0.6}
            y={40 - (40 * share) / most}
            height={(40 * share) / most}
          />
        ))}
        <line x1="0" x2="100" y1={even} y2={even} />
      </svg>
      <figcaption>
        {name}, {counted(of.windows, 'window')}
      </figcaption>
    </figure>
  );
}

function Faults({ report }: { readonly report: EvaluationReport }) {
  const { injected, recall } = report;
  if (injected.length === 0) return <p class="hint">There was no room for any.</p>;
  return (
    <Table heads={['Kind, size in scales', 'Cases', 'This version finds', 'The one before finds']}>
      {injected.map(({ kind, size, cases, challenger, champion }) => (
        <Row
          key={`${kind} ${size}`}
          cells={[
            `${faultWords[kind]}${size === null ? '' : `, ${size}`}`,
            formatCount(cases),
            caught(challenger),
            champion === null ? none : caught(champion),
          ]}
        />
      ))}
      {recall
        .filter(({ kind }) => kind === null)
        .map(({ cases, challenger, champion }) => (
          <Row
            key="all"
            cells={[
              <b key="all">all</b>,
              formatCount(cases),
              caught(challenger),
              champion === null ? none : caught(champion),
            ]}
          />
        ))}
    </Table>
  );
}

function caught({ found, delayMs }: { readonly found: number; readonly delayMs: number | null }): string {
  return delayMs === null ? formatCount(found) : `${formatCount(found)} after ${formatSpan(delayMs)}`;
}

function Origins({ report }: { readonly report: EvaluationReport }) {
  return (
    <Table heads={['Trained to', 'Judged to', 'Windows', 'Loss', 'The one before', 'In the band', 'The one before ']}>
      {report.origins.map(({ trainedToMs, judgedToMs, windows, challenger, champion }) => (
        <Row
          key={trainedToMs}
          cells={[
            <Moment key="from" ms={trainedToMs} />,
            <Moment key="to" ms={judgedToMs} />,
            formatCount(windows),
            digits(challenger.pinball),
            champion === null ? none : digits(champion.pinball),
            formatShare(challenger.coverage),
            champion === null ? none : formatShare(champion.coverage),
          ]}
        />
      ))}
    </Table>
  );
}

function Worst({ report }: { readonly report: EvaluationReport }) {
  return (
    <Table heads={['Series', 'Windows', 'Loss', 'The one before', 'In the band', 'Findings']}>
      {report.worst.map(({ series, key, windows, coverage, pinball, findings, champion }) => (
        <Row
          key={series}
          cells={[
            <span key="name" title={series}>
              {[key.name, ...Object.values(key.attributes)].join(' ')}
            </span>,
            formatCount(windows),
            digits(pinball),
            champion === null ? none : digits(champion.pinball),
            formatShare(coverage),
            formatCount(findings),
          ]}
        />
      ))}
    </Table>
  );
}
