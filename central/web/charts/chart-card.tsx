/** A chart with its title, its lines' names and values; what is drawn is loaded when it comes into view. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { wordsOf } from '../api.ts';
import { formatRange, unitWords } from '../format.ts';
import type { MetricChart } from '../metrics/model.ts';
import type { Outlook } from '../metrics/outlook.ts';
import type { TimeRange } from '../time.ts';
import { valueText } from './axes.ts';
import type { ChartBoard } from './board.ts';
import type { Span } from './layers.ts';
import { ChartView, type Readout } from './view.ts';

interface Props {
  readonly chart: MetricChart;
  readonly board: ChartBoard;
  readonly range: TimeRange;
  readonly spans: readonly Span[];
  /** A line that something else on the page points at. */
  readonly pointed: string | null;
  /** When what it shows will be full or empty. */
  readonly outlook: Outlook | undefined;
}

/** More names than these are folded away on the card. */
const MOST_NAMES = 8;

export function ChartCard({ chart, board, range, spans, pointed, outlook }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const card = useRef<HTMLElement>(null);
  const view = useRef<ChartView | null>(null);
  const now = useRef<HTMLSpanElement>(null);
  const expected = useRef<HTMLSpanElement>(null);
  const time = useRef<HTMLSpanElement>(null);
  const texts = useRef(new Map<string, HTMLSpanElement>());
  const [visible, setVisible] = useState(false);
  const [state, setState] = useState<'loading' | 'ready' | 'empty' | { error: unknown }>('loading');
  const [chosen, setChosen] = useState<string | null>(null);
  const [allNames, setAllNames] = useState(false);
  const mine = pointed !== null && chart.lines.length > 1 && chart.lines.some(({ id }) => id === pointed);
  const shown = chosen ?? (mine ? pointed : null);

  // Written into the page directly: each second for all charts, it is not worth a render.
  const onReadout = useCallback(
    (readout: Readout) => {
      setText(time.current, readout.time ?? '');
      const single = readout.lines.length === 1;
      setText(now.current, single ? valueText(readout.values[0], chart.unit) : '');
      setText(
        expected.current,
        readout.expected === null ? '' : `expected ${formatRange(...readout.expected, chart.unit)}`,
      );
      readout.lines.forEach(({ id }, i) => {
        setText(texts.current.get(id) ?? null, valueText(readout.values[i], chart.unit));
      });
    },
    [chart.unit],
  );

  useEffect(() => board.whenVisible(card.current!, setVisible), [board]);

  // Range, spans and choice are told to the view as they change.
  useEffect(() => {
    if (!visible) return;
    const made = new ChartView(
      {
        host: host.current!,
        chart,
        source: board.source,
        zone: board.zone,
        onReadout,
        onState: setState,
        onZoom: board.onZoom,
        onZoomBack: board.onZoomBack,
      },
      range,
    );
    made.setChosen(shown);
    made.setSpans(spans);
    view.current = made;
    const leave = board.add(made);
    return () => {
      leave();
      made.end();
      view.current = null;
    };
  }, [visible, chart, board]);
  useEffect(() => view.current?.setRange(range), [range]);
  useEffect(() => view.current?.setSpans(spans), [spans]);
  useEffect(() => view.current?.setChosen(shown), [shown]);

  const words = unitWords(chart.unit);
  const unit = chart.title.toLowerCase().includes(words) ? '' : words;
  const many = chart.lines.length > 1;
  const names = allNames ? chart.lines : chart.lines.slice(0, MOST_NAMES);
  return (
    <article ref={card} class="chart" data-chart={chart.id} data-metric={chart.name} aria-label={titleOf(chart)}>
      <header class="chart-head">
        <h4>
          {chart.title}
          {chart.instance !== '' && <span class="instance">{chart.instance}</span>}
          {unit !== '' && <span class="unit">{unit}</span>}
        </h4>
        {outlook !== undefined && (
          <span
            class={outlook.soon ? 'outlook soon' : 'outlook'}
            title="If it goes on as it does; in nine of ten cases between the two"
          >
            {outlook.text}
          </span>
        )}
        <span class="chart-time" ref={time} />
        <span class="expected" ref={expected} />
        <span class="now" ref={now} data-role="now" />
      </header>
      <div class={many ? 'plot' : 'plot single'} ref={host} data-state={typeof state === 'string' ? state : 'error'}>
        {state === 'loading' && <div class="skeleton plot-skeleton" aria-hidden="true" />}
        {state === 'empty' && <p class="plot-note">Nothing was measured in this range.</p>}
        {typeof state === 'object' && <p class="plot-note bad">{wordsOf(state.error)}</p>}
      </div>
      {many && (
        <ul class="legend">
          {names.map((line) => (
            <li key={line.id}>
              <button
                type="button"
                class="line-name"
                aria-pressed={shown === line.id}
                data-faint={shown !== null && shown !== line.id}
                title="Show this line alone, with its range and what was expected"
                onClick={() => setChosen(shown === line.id ? null : line.id)}
              >
                <i class={`swatch line-${(chart.lines.indexOf(line) % 8) + 1}`} />
                {line.label}
                <span
                  class="value"
                  ref={(element: HTMLSpanElement | null) => {
                    if (element === null) texts.current.delete(line.id);
                    else texts.current.set(line.id, element);
                  }}
                />
              </button>
            </li>
          ))}
          {chart.lines.length > names.length && (
            <li>
              <button type="button" class="link" onClick={() => setAllNames(true)}>
                and {chart.lines.length - names.length} more
              </button>
            </li>
          )}
        </ul>
      )}
    </article>
  );
}

function titleOf(chart: MetricChart): string {
  return chart.instance === '' ? chart.title : `${chart.title}, ${chart.instance}`;
}

function setText(element: HTMLElement | null, text: string): void {
  if (element !== null && element.textContent !== text) element.textContent = text;
}
