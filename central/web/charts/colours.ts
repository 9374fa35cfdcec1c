/** Colours of charts, from the style sheet, so that a theme is in one place. */
import { onTheme } from '../preferences.ts';

export interface Colours {
  readonly lines: readonly string[];
  readonly text: string;
  readonly grid: string;
  readonly band: string;
  readonly bandEdge: string;
  readonly anomaly: string;
  readonly severity: Readonly<Record<'info' | 'warning' | 'critical', string>>;
}

const LINES = 8;
let found: Colours | null = null;
onTheme(() => {
  found = null;
});

export function colours(): Colours {
  if (found !== null) return found;
  const style = getComputedStyle(document.documentElement);
  const named = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  found = {
    lines: Array.from({ length: LINES }, (_, i) => named(`line-${i + 1}`)),
    text: named('text-2'),
    grid: named('grid'),
    band: named('band'),
    bandEdge: named('band-edge'),
    anomaly: named('anomaly'),
    severity: { info: named('info'), warning: named('warning'), critical: named('critical') },
  };
  return found;
}

/** The same colour, let through: `#rrggbb` and a share. */
export function faded(colour: string, share: number): string {
  const alpha = Math.round(share * 255)
    .toString(16)
    .padStart(2, '0');
  return colour + alpha;
}
