/** Prints tables of figures. */

export type Figures = Readonly<Record<string, number>>;

const LEAST_NAME_WIDTH = 20;
const LEAST_WIDTH = 9;

/** A title, then a line for each row; the first row's keys are the columns. */
export function printTable(title: string, rows: Readonly<Record<string, Figures>>): void {
  const names = Object.keys(rows);
  const columns = Object.keys(rows[names[0] ?? ''] ?? {});
  const nameWidth = names.reduce((width, name) => Math.max(width, name.length), LEAST_NAME_WIDTH);
  const widths = columns.map((column) => Math.max(LEAST_WIDTH, column.length + 2));
  console.log(`\n${title}`);
  console.log(' '.repeat(nameWidth) + columns.map((column, i) => column.padStart(widths[i]!)).join(''));
  for (const [name, figures] of Object.entries(rows)) {
    const cells = columns.map((column, i) => shown(figures[column]).padStart(widths[i]!));
    console.log(name.padEnd(nameWidth) + cells.join(''));
  }
}

function shown(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  if (Number.isInteger(value)) return value.toLocaleString('en');
  const size = Math.abs(value);
  return size >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(size >= 10 ? 2 : 3);
}
