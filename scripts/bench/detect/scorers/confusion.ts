/** Rows right and wrong, pooled: F1, and the two shares without which it says nothing. */
export class Confusion {
  #truePositive = 0;
  #falsePositive = 0;
  #trueNegative = 0;
  #falseNegative = 0;

  add(labelled: boolean, alarm: boolean): void {
    if (labelled && alarm) this.#truePositive++;
    else if (labelled) this.#falseNegative++;
    else if (alarm) this.#falsePositive++;
    else this.#trueNegative++;
  }

  /** `far`: alarms among rows without a label; `mar`: labelled rows without an alarm; both in percent. */
  figures(): { f1: number; far: number; mar: number } {
    const wrong = this.#falsePositive + this.#falseNegative;
    return {
      f1: share(2 * this.#truePositive, 2 * this.#truePositive + wrong),
      far: 100 * share(this.#falsePositive, this.#falsePositive + this.#trueNegative),
      mar: 100 * share(this.#falseNegative, this.#falseNegative + this.#truePositive),
    };
  }
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
