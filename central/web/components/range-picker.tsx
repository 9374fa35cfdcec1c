/** Which piece of time the charts show. */
import { useEffect, useState } from 'preact/hooks';
import { nowMs } from '../api.ts';
import { chooseRange, zoomBack } from '../shown-range.ts';
import { bounds, fixedRange, formatMoment, formatSpan, spanOf, spans, type TimeRange } from '../time.ts';
import { useZone } from './zone.ts';

export function RangePicker({ range }: { readonly range: TimeRange }) {
  const [custom, setCustom] = useState(false);
  const zone = useZone();
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as Element | null)?.matches('input, textarea, select') === true) return;
      const chosen = spans[Number(event.key) - 1];
      if (chosen !== undefined) chooseRange({ kind: 'last', spanMs: chosen.spanMs });
      else if (event.key === '0') zoomBack();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <fieldset class="range" aria-label="Range of time">
      {spans.map(({ label, spanMs }) => (
        <button
          key={label}
          type="button"
          aria-pressed={range.kind === 'last' && range.spanMs === spanMs}
          onClick={() => chooseRange({ kind: 'last', spanMs })}
        >
          {label}
        </button>
      ))}
      <button
        type="button"
        aria-pressed={range.kind === 'fixed'}
        aria-expanded={custom}
        onClick={() => setCustom(!custom)}
      >
        {range.kind === 'fixed' ? formatSpan(spanOf(range)) : 'Custom'}
      </button>
      {range.kind === 'fixed' && (
        <button type="button" class="back-out" onClick={zoomBack} title="Back out of the zoom (0)">
          ← Back
        </button>
      )}
      {range.kind === 'fixed' && (
        <span class="range-text">
          {formatMoment(range.fromMs, zone, nowMs())} – {formatMoment(range.toMs, zone, nowMs())}
        </span>
      )}
      {custom && <CustomRange range={range} onDone={() => setCustom(false)} />}
    </fieldset>
  );
}

function CustomRange({ range, onDone }: { readonly range: TimeRange; readonly onDone: () => void }) {
  const { fromMs, toMs } = bounds(range, nowMs());
  const [trouble, setTrouble] = useState('');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const chosen = fixedRange(Date.parse(String(form.get('from'))), Date.parse(String(form.get('to'))));
    if (chosen === null) {
      setTrouble('The end must lie after the start.');
      return;
    }
    chooseRange(chosen);
    onDone();
  };
  return (
    <form class="custom-range card" onSubmit={submit}>
      <label>
        From <input type="datetime-local" name="from" step={1} defaultValue={localText(fromMs)} required />
      </label>
      <label>
        To <input type="datetime-local" name="to" step={1} defaultValue={localText(toMs)} required />
      </label>
      <p class="hint">In your own time.</p>
      {trouble !== '' && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      <button type="submit" class="primary">
        Show
      </button>
    </form>
  );
}

/** `2026-01-03T14:02:10` in the viewer's zone, as the input wants it. */
function localText(ms: number): string {
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
