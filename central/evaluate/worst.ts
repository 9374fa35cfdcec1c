/** The series on which a challenger's loss is highest: where to look first. */
import type { WorstSeries } from './api.ts';
import type { Course } from './course.ts';
import type { CourseTally } from './tally.ts';

const LISTED = 10;

export class Worst {
  #list: WorstSeries[] = [];

  add({ id, key }: Course, ours: CourseTally, theirs: CourseTally | null): void {
    if (ours.windows === 0) return;
    const champion = theirs === null || theirs.windows === 0 ? null : meansOf(theirs);
    this.#list.push({ series: id, key, windows: ours.windows, ...meansOf(ours), champion });
    this.#list.sort((a, b) => b.pinball - a.pinball || (a.series < b.series ? -1 : 1));
    this.#list.length = Math.min(LISTED, this.#list.length);
  }

  list(): readonly WorstSeries[] {
    return this.#list;
  }
}

function meansOf({ windows, inside, loss, findings }: CourseTally) {
  return { coverage: inside / windows, pinball: loss / windows, findings };
}
